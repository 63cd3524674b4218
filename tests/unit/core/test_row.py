import copy
import pickle

import pytest

from wiesel.core.row import Row, RowKind, named_row


def test_positional_row_prints_in_angle_brackets() -> None:
    assert repr(Row(1, "x")) == "<Row(1, 'x')>"


def test_named_row_prints_names_in_the_order_of_the_keywords() -> None:
    assert repr(Row(b=1, a="x")) == "Row(b=1, a='x')"


def test_template_row_makes_named_rows() -> None:
    person = Row("name", "age")
    assert repr(person("Ann", 11)) == "Row(name='Ann', age=11)"
    assert "name" in person


def test_template_refuses_more_values_than_names() -> None:
    with pytest.raises(ValueError, match="expected 1 values"):
        Row("a")(1, 2)


def test_positional_and_keyword_values_cannot_be_mixed() -> None:
    with pytest.raises(ValueError, match="both args and kwargs"):
        Row(1, a=2)


def test_positional_row_equals_neither_named_row_nor_tuple() -> None:
    assert Row(1, "x") != Row(a=1, b="x")
    assert Row(1, 2) != (1, 2)
    assert Row(1, 2) == Row(1, 2)


def test_named_rows_are_equal_whatever_the_order_of_their_fields() -> None:
    assert Row(a=1, b=2) == Row(b=2, a=1)
    assert Row(a=1, b=2) != Row(a=2, b=1)
    assert Row(a=1) != Row(b=1)


def test_rows_of_different_kinds_differ() -> None:
    assert Row.of_kind(RowKind.DELETE, 1) != Row(1)
    assert Row.of_kind(RowKind.DELETE, 1).get_row_kind() is RowKind.DELETE


def test_hash_is_that_of_the_values() -> None:
    assert hash(Row(1, 2)) == hash(Row(a=1, b=2)) == hash((1, 2))
    with pytest.raises(TypeError):
        hash(Row([1]))


def test_values_are_reached_by_position_slice_name_and_attribute() -> None:
    row = Row(a=1, b="x")
    assert (row[0], row[0:2], row["b"], row.b) == (1, [1, "x"], "x", "x")
    assert list(row) == [1, "x"]
    assert len(row) == 2


def test_values_are_replaced_by_position_and_name_but_not_as_attributes() -> None:
    row = Row(a=1, b="x")
    row[0], row["b"] = 2, "y"
    assert row == Row(a=2, b="y")
    with pytest.raises(AttributeError, match="no attribute 'a'"):
        setattr(row, "a", 3)  # noqa: B010 - no type checker lets it pass


def test_unknown_field_is_told_with_the_fields_there_are() -> None:
    with pytest.raises(ValueError, match="'c' is not a field of this row, which has \\['a'\\]"):
        Row(a=1)["c"]
    with pytest.raises(AttributeError, match="which has \\['a'\\]"):
        _ = Row(a=1).c
    with pytest.raises(KeyError):
        Row(1)["a"] = 2


def test_contains_looks_at_names_of_a_named_row_and_at_values_of_a_positional_one() -> None:
    assert "a" in Row(a=1)
    assert 1 not in Row(a=1)
    assert 1 in Row(1)


def test_as_dict_turns_nested_rows_into_dicts_only_when_asked() -> None:
    row = Row(key=1, value=Row(name="a"), more=[Row(x=1)], by={"k": Row(x=2)})
    assert row.as_dict()["value"] == Row(name="a")
    assert row.as_dict(True) == {"key": 1, "value": {"name": "a"}, "more": [{"x": 1}], "by": {"k": {"x": 2}}}
    with pytest.raises(TypeError, match="Cannot convert a Row class into dict"):
        Row(1).as_dict()


def test_fields_by_names_follow_the_order_asked_for() -> None:
    assert Row(a=1, b=2).get_fields_by_names(["b", "a"]) == [2, 1]
    assert Row(1, 2).get_fields_by_names(["b", "a"]) == [1, 2]
    with pytest.raises(Exception, match="not exist"):
        Row(a=1).get_fields_by_names(["c"])


def test_set_field_names_names_a_positional_row() -> None:
    row = Row(1, 2)
    row.set_field_names(["a", "b"])
    assert row == Row(a=1, b=2)


@pytest.mark.parametrize("row", [Row(1, "x"), Row(a=1, b=None), Row(), Row.of_kind(RowKind.UPDATE_BEFORE, a=Row(1))])
def test_rows_survive_pickle_and_copies(row: Row) -> None:
    for again in (pickle.loads(pickle.dumps(row)), copy.copy(row), copy.deepcopy(row)):
        assert again == row
        assert repr(again) == repr(row)
        assert again.get_row_kind() is row.get_row_kind()


def test_kinds_print_as_flink_prints_them() -> None:
    assert [str(kind) for kind in RowKind] == ["+I", "-U", "+U", "-D"]


def test_named_row_shares_the_list_it_is_given() -> None:
    values = [1, 2]
    assert named_row(["a", "b"], values)._values is values
