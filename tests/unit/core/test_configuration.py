import copy

import pytest

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError


def test_values_are_text_whatever_setter_put_them() -> None:
    configuration = Configuration().set_string("a", "x").set_integer("b", 5).set_boolean("c", True).set_float("d", 1e21)
    assert configuration.to_dict() == {"a": "x", "b": "5", "c": "true", "d": "1.0E21"}
    assert configuration.get_integer("b", 0) == 5
    assert configuration.get_boolean("c", False) is True
    assert configuration.get_float("d", 0.0) == 1e21


def test_text_is_read_as_the_type_asked_for() -> None:
    configuration = Configuration.from_dict({"n": " 7 ", "yes": "TRUE"})
    assert configuration.get_integer("n", 0) == 7
    assert configuration.get_boolean("yes", False) is True


def test_defaults_are_returned_for_missing_keys() -> None:
    configuration = Configuration()
    assert configuration.get_string("a", "x") == "x"
    assert configuration.get_integer("a", 1) == 1
    assert configuration.get_boolean("a", True) is True
    assert configuration.get_float("a", 1) == 1.0
    assert configuration.get_bytearray("a", bytearray(b"x")) == bytearray(b"x")


def test_wrong_value_names_key_and_value_but_hides_a_secret() -> None:
    configuration = Configuration.from_dict({"n": "seven", "my.password": "hunter2"})
    with pytest.raises(ConfigurationError, match="n must be a whole number, not 'seven'"):
        configuration.get_integer("n", 0)
    with pytest.raises(ConfigurationError) as raised:
        configuration.get_integer("my.password", 0)
    assert "hunter2" not in str(raised.value)
    assert "hunter2" not in str(configuration)


def test_bytes_are_kept_as_bytes() -> None:
    configuration = Configuration().set_bytearray("a", bytearray(b"\xff"))
    assert configuration.get_bytearray("a", bytearray()) == bytearray(b"\xff")
    with pytest.raises(ConfigurationError, match="not bytes"):
        Configuration().set_string("a", "x").get_bytearray("a", bytearray())


def test_string_setter_takes_text_only() -> None:
    with pytest.raises(TypeError, match="a takes text, got int"):
        Configuration().set_string("a", 5)  # type: ignore[arg-type]


def test_copies_are_independent_and_equal() -> None:
    first = Configuration().set_string("a", "x")
    for again in (Configuration(first), copy.copy(first), copy.deepcopy(first)):
        assert again == first
        assert hash(again) == hash(first)
        again.set_string("a", "y")
        assert first.get_string("a", "") == "x"


def test_entries_are_taken_over_behind_a_prefix() -> None:
    other = Configuration().set_string("b", "1")
    configuration = Configuration().add_all(other).add_all(other, "x.")
    assert configuration.key_set() == {"b", "x.b"}
    target: dict[str, str] = {"z": "9"}
    configuration.add_all_to_dict(target)
    assert target == {"z": "9", "b": "1", "x.b": "1"}


def test_removing_tells_whether_there_was_a_value() -> None:
    configuration = Configuration().set_string("a", "x")
    assert configuration.contains_key("a")
    assert configuration.remove_config("a") is True
    assert configuration.remove_config("a") is False


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        ("a;b", ["a", "b"]),
        ("[a, b]", ["a", "b"]),
        ("['x;y', 1]", ["x;y", "1"]),
        ("file:///x.jar", ["file:///x.jar"]),
    ],
)
def test_lists_are_read_in_both_notations(text: str, items: list[str]) -> None:
    assert Configuration.parse_list_value(text) == items


def test_a_java_configuration_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no Java configuration"):
        Configuration(j_configuration=object())
