"""CSV: what the real PyFlink 2.3 reads and writes, recorded from it, and how errors are told."""

from __future__ import annotations

import datetime
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.connectors.files import collected
from wiesel.common import Row, Types, WatermarkStrategy
from wiesel.core.errors import RecordError, TypeMismatchError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.file_system import BucketAssigner, FileSink, FileSource
from wiesel.datastream.formats.csv import (
    CsvBulkWriters,
    CsvReaderFormat,
    CsvRowDeserializationSchema,
    CsvRowSerializationSchema,
    CsvSchema,
)
from wiesel.table import DataTypes

ABC = Types.ROW_NAMED(["a", "b", "c"], [Types.INT(), Types.STRING(), Types.BOOLEAN()])


def reading(row_type: Any = ABC, **settings: Any) -> Any:
    builder = CsvRowDeserializationSchema.Builder(row_type)
    for name, value in settings.items():
        builder = getattr(builder, f"set_{name}")(value)
    return builder.build()


def writing(row_type: Any = ABC, **settings: Any) -> Any:
    builder = CsvRowSerializationSchema.Builder(row_type)
    for name, value in settings.items():
        builder = getattr(builder, name)() if value is None else getattr(builder, f"set_{name}")(value)
    return builder.build()


# ---------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,x,true", [1, "x", True]),
        ("1,,true", [1, "", True]),
        ('1,"x,y",TRUE', [1, "x,y", True]),
        (" 1 , x , yes", [1, " x ", False]),
        ('1,"a""b",false', [1, 'a"b', False]),
        ("1,x,true\r\n2,y,false", [1, "x", True]),
        ('1,"a\nb",true', [1, "a\nb", True]),
        ('1,a"b,true', [1, 'a"b', True]),
        ('"1",null,true', [1, "null", True]),
    ],
)
def test_rows_are_read_as_pyflink_reads_them(text, values):
    assert reading().deserialize(text.encode()) == Row("a", "b", "c")(*values)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1,x", "Row length mismatch. 3 fields expected but was 2"),
        ("1,x,true,9", "Row length mismatch. 3 fields expected but was 4"),
        (",x,true", "field: a: ''"),
        ("x,y,true", "field: a: 'x'"),
        ("", "no row"),
        ('1,"abc,true', "Malformed CSV"),
        ("9999999999,x,true", "field: a"),
    ],
)
def test_malformed_rows_fail_with_the_row_and_the_field(text, error):
    with pytest.raises(RecordError, match=error) as caught:
        reading().deserialize(text.encode())
    assert "Failed to deserialize CSV row" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x,y,true", [None, "y", True]),
        ("1,x", [1, "x", None]),
        ("1,x,true,9", None),
        ("", None),
        ('1,"abc,true', None),
    ],
)
def test_ignored_parse_errors_are_none_in_a_field_and_skip_what_is_no_row(text, values):
    found = reading(ignore_parse_errors=True).deserialize(text.encode())
    assert found == (None if values is None else Row("a", "b", "c")(*values))


def test_null_literal_is_none_in_quotes_too():
    assert list(reading(null_literal="n/a").deserialize(b'n/a,"n/a",n/a')) == [None, None, None]


def test_comments_are_no_rows():
    with pytest.raises(RecordError, match="no row"):
        reading(allow_comments=True).deserialize(b"#1,x,true")
    assert reading(allow_comments=True).deserialize(b"1,#x,true")["b"] == "#x"


def test_characters_that_were_set():
    schema = reading(field_delimiter="|", quote_character="'", escape_character="\\")
    texts = ["1|'a|b'|true", "1|a\\|b|true", "1|a\\nb|true"]
    assert [schema.deserialize(text.encode())["b"] for text in texts] == ["a|b", "a|b", "a\nb"]


NESTED = Types.ROW_NAMED(
    ["arr", "r", "n"], [Types.OBJECT_ARRAY(Types.INT()), Types.ROW([Types.STRING(), Types.INT()]), Types.DOUBLE()]
)


def test_arrays_and_nested_rows():
    row = reading(NESTED).deserialize(b"1;2;3,x;1,1e3")
    assert (row["arr"], list(row["r"]), row["n"]) == ([1, 2, 3], ["x", 1], 1000.0)
    assert reading(NESTED).deserialize(b",x;1,1")["arr"] == []
    assert reading(NESTED, array_element_delimiter=":").deserialize(b"1:2,x:1,1")["arr"] == [1, 2]


TIMES = Types.ROW_NAMED(
    ["d", "t", "ts", "x", "b"],
    [
        Types.SQL_DATE(),
        Types.SQL_TIME(),
        Types.SQL_TIMESTAMP(),
        Types.BIG_DEC(),
        Types.PRIMITIVE_ARRAY(Types.BYTE()),
    ],
)
MOMENT = datetime.datetime(2024, 2, 29, 13, 45, 0, 500_000)


def test_dates_times_decimals_and_bytes():
    row = reading(TIMES).deserialize(b"2024-02-29,13:45:00,2024-02-29 13:45:00.5,1.50,YWI=")
    assert list(row) == [MOMENT.date(), datetime.time(13, 45), MOMENT, Decimal("1.50"), b"ab"]
    line = writing(TIMES).serialize(row)
    assert line == b'2024-02-29,13:45:00,"2024-02-29 13:45:00.5",1.50,YWI=\n'


def test_schemas_survive_pickling():
    schema = pickle.loads(pickle.dumps(reading()))
    assert schema.produced_type() == ABC
    assert pickle.loads(pickle.dumps(writing())).serialize(schema.deserialize(b"1,x,true")) == b"1,x,true\n"


# ---------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("x", "x"),
        ("a b", '"a b"'),
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        ("a-b", "a-b"),
        ("", ""),
        ("\n", '"\n"'),
        ("a+b", '"a+b"'),
        ("ab" * 12, "ab" * 12),
        ("ab" * 13, f'"{"ab" * 13}"'),
        ("ä", "ä"),
        ("#x", '"#x"'),
        ("a'b", '"a\'b"'),
        ("a\\b", '"a\\b"'),
        ("a;b", "a;b"),
    ],
)
def test_texts_are_quoted_where_jackson_quotes_them(text, field):
    assert writing().serialize(Row(1, text, True)) == f"1,{field},true\n".encode()


def test_none_is_nothing_or_the_null_literal():
    assert writing().serialize(Row(None, None, None)) == b",,\n"
    schema = writing(null_literal="n/a", field_delimiter="|", line_delimiter="\r\n")
    assert schema.serialize(Row(None, "a|b", True)) == b'n/a|"a|b"|true\r\n'


def test_quotes_and_escapes_that_were_set():
    schema = writing(quote_character="'", escape_character="\\")
    rows = ["a'b", "a\\b", 'a"b']
    assert [schema.serialize(Row(1, text, True)) for text in rows] == [
        b"1,'a''b',true\n",
        b"1,'a\\\\b',true\n",
        b"1,'a\"b',true\n",
    ]
    assert writing(disable_quote_character=None).serialize(Row(1, "a,b", True)) == b"1,a,b,true\n"


def test_arrays_and_nested_rows_are_one_field():
    row_type = Types.ROW([Types.OBJECT_ARRAY(Types.INT()), Types.ROW([Types.STRING(), Types.INT()])])
    row = Row([1, 2, 3], Row("x y", 7))
    assert writing(row_type).serialize(row) == b'1;2;3,"x y;7"\n'
    assert writing(row_type, array_element_delimiter=":").serialize(row) == b'1:2:3,"x y:7"\n'


def test_rows_of_other_names_are_written_by_position():
    assert writing().serialize(Row(f0=1, f1="x", f2=True)) == b"1,x,true\n"
    assert writing().serialize(Row(c=True, b="x", a=1)) == b"1,x,true\n"


def test_row_of_another_type_is_refused():
    with pytest.raises(TypeMismatchError, match="Could not serialize row"):
        writing().serialize(Row("one", "x", True))


def test_types_that_are_no_rows_are_refused():
    with pytest.raises(TypeError, match="must not be None"):
        CsvRowDeserializationSchema.Builder(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ROW type"):
        CsvRowSerializationSchema.Builder(Types.STRING())
    with pytest.raises(ValueError, match="single character"):
        writing(field_delimiter="||")


# ------------------------------------------------------------------------------------------------------ files


def columns() -> Any:
    return (
        CsvSchema.builder()
        .add_number_column("id")
        .add_string_column("name")
        .add_array_column("l", ";", DataTypes.INT())
        .add_boolean_column("ok")
        .add_number_column("x", DataTypes.DOUBLE())
    )


def read(tmp_path: Path, builder: Any, text: str) -> list[Any]:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    records = CsvReaderFormat.for_schema(builder.build()).open_file(path, None)
    try:
        return [list(row) for row in records.read(1000)]
    finally:
        records.close()


FIRST = [1, "a", [1, 2], True, 1.5]


@pytest.mark.parametrize(
    ("configure", "text", "rows"),
    [
        (lambda b: b, '1,a,1;2,true,1.5\n2,"b,c",,false,2\n', [FIRST, [2, "b,c", [], False, 2.0]]),
        (lambda b: b.set_use_header().set_strict_headers(), "id,name,l,ok,x\n1,a,1;2,true,1.5\n", [FIRST]),
        (lambda b: b.set_use_header(), "ok,name,l,id,x\n1,a,1;2,true,1.5\n", [FIRST]),
        (lambda b: b.set_skip_first_data_row(), "2,a,1,true,1\n1,a,1;2,true,1.5\n", [FIRST]),
        (
            lambda b: b.set_allow_comments().set_null_value("NA"),
            "#c\nNA,NA,NA,NA,NA\n",
            [[None, None, None, None, None]],
        ),
        (
            lambda b: b.set_column_separator("|").set_escape_char("\\").set_quote_char("'"),
            "1|'a|b'|1|true|1\n1|a\\|b|1|true|1\n",
            [[1, "a|b", [1], True, 1.0]] * 2,
        ),
        (lambda b: b.set_escape_char("\\").disable_escape_char(), "1,a\\b,1,true,1\n", [[1, "a\\b", [1], True, 1.0]]),
        (lambda b: b.disable_quote_char(), '1,"a",1,true,1\n', [[1, '"a"', [1], True, 1.0]]),
        (lambda b: b, " 1 , a , 1; 2 , true , 1 \n", [[1, " a ", [1, 2], True, 1.0]]),
        (lambda b: b.set_array_element_separator("/"), "1,a,1/2,true,1.5", [FIRST]),
        (lambda b: b.remove_array_element_separator(2), "1,a,12,true,1.5", [[1, "a", [12], True, 1.5]]),
        (lambda b: b.disable_array_element_separator(), "1,a,12,true,1.5", [[1, "a", [12], True, 1.5]]),
    ],
)
def test_files_are_read_as_pyflink_reads_them(tmp_path, configure, text, rows):
    assert read(tmp_path, configure(columns()), text) == rows


@pytest.mark.parametrize(
    ("configure", "text", "error"),
    [
        (lambda b: b, "1,a\n", "row 1: Row length mismatch. 5 fields expected but was 2"),
        (lambda b: b, "1,a,1,true,1\n\n", "row 2: Row length mismatch. 5 fields expected but was 1"),
        (lambda b: b.set_any_property_name("more"), "1,a,1,true,1.5,6\n", "Row length mismatch"),
        (lambda b: b, "1,a,x,true,1\n", "field: l"),
        (
            lambda b: b.set_use_header().set_strict_headers(),
            "id,nam,l,ok,x\n",
            'column #2: expected "name", actual "nam"',
        ),
    ],
)
def test_malformed_files_fail_with_file_and_row(tmp_path, configure, text, error):
    with pytest.raises(RecordError, match=error) as caught:
        read(tmp_path, configure(columns()), text)
    assert "x.csv" in str(caught.value)


def test_reading_goes_on_behind_a_position(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("".join(f'{i},"a\nb",1,true,1\n' for i in range(5)))
    file_format = CsvReaderFormat.for_schema(columns().build())
    first = file_format.open_file(path, None)
    first.read(2)
    again = file_format.open_file(path, first.position())
    assert [row["id"] for row in again.read(10)] == [2, 3, 4]
    first.close()
    again.close()


def test_reader_format_is_a_stream_format_with_its_type():
    assert str(CsvReaderFormat.for_schema(columns().build()).produced_type()) == str(
        Types.ROW_NAMED(
            ["id", "name", "l", "ok", "x"],
            [Types.LONG(), Types.STRING(), Types.LIST(Types.INT()), Types.BOOLEAN(), Types.DOUBLE()],
        )
    )
    assert CsvReaderFormat.text_line_format().produced_type() == Types.STRING()
    with pytest.raises(TypeError, match="CsvSchema"):
        CsvReaderFormat.for_schema("id,name")  # type: ignore[arg-type]


ROWS = [
    Row(1, "a b", [1, 2], True, 1.5),
    Row(None, None, None, None, None),
    Row(2, "x", [], False, 1e21),
    Row(3, 'a,"b', [1], True, 0.1),
]


def write(tmp_path: Path, builder: Any, rows: list[Row]) -> bytes:
    schema = builder.build()
    kind = schema.row_type().type_info()
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    sink = FileSink.for_bulk_format(str(tmp_path / "out"), CsvBulkWriters.for_schema(schema))
    env.from_collection(rows, kind).sink_to(
        sink.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).build()
    )
    env.execute()
    (path,) = (tmp_path / "out").iterdir()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("configure", "content"),
    [
        (lambda b: b, b'1,"a b",1;2,true,1.5\n,,,,\n2,x,,false,1.0E21\n3,"a,""b",1,true,0.1\n'),
        (
            lambda b: b.set_null_value("NA").set_line_separator("\r\n").set_column_separator("|").set_quote_char("'"),
            b"1|'a b'|'1;2'|true|1.5\r\nNA|NA|NA|NA|NA\r\n2|'x'||false|1.0E21\r\n3|'a,\"b'|'1'|true|0.1\r\n",
        ),
    ],
)
def test_files_are_written_as_pyflink_writes_them(tmp_path, monkeypatch, configure, content):
    monkeypatch.chdir(tmp_path)
    assert write(tmp_path, configure(columns()), ROWS) == content


def test_header_is_written_and_read_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    builder = columns().set_use_header().set_strict_headers()
    assert write(tmp_path, builder, [ROWS[0], ROWS[2]]).startswith(b"id,name,l,ok,x\n1,")
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(builder.build()), str(tmp_path / "out"))
    stream = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "csv")
    found = collected(stream)
    assert [list(row) for row in found] == [list(ROWS[0]), list(ROWS[2])]


# ----------------------------------------------------------------------------------------------------- schema


def test_schema_shows_itself_as_jackson_does():
    builder = CsvSchema.builder().add_number_column("id").add_string_column("name").add_boolean_column("ok")
    schema = builder.add_array_column("l", ",", DataTypes.INT()).build()
    assert str(schema) == (
        '[CsvSchema: columns=["id"/NUMBER,"name"/STRING,"ok"/BOOLEAN,"l"/ARRAY], header? false, skipFirst? false, '
        "comments? false, any-properties? N/A]"
    )
    assert (schema.size(), len(schema), builder.size(), len(builder)) == (4, 4, 4, 4)


def test_columns_are_added_from_another_schema_and_cleared():
    builder = CsvSchema.builder().add_columns_from(columns().build())
    assert builder.size() == 5
    assert builder.clear_columns().size() == 0
    default = CsvSchema.builder().add_array_column("l").add_number_column("n").build()
    assert default.row_type() == DataTypes.ROW(
        [DataTypes.FIELD("l", DataTypes.ARRAY(DataTypes.STRING())), DataTypes.FIELD("n", DataTypes.BIGINT())]
    )


def test_characters_of_a_schema_are_single():
    for method in ("set_column_separator", "set_escape_char", "set_quote_char"):
        with pytest.raises(ValueError, match="single char"):
            getattr(CsvSchema.builder(), method)("ab")
    with pytest.raises(ValueError, match="Line separator"):
        CsvSchema.builder().set_line_separator("x")
