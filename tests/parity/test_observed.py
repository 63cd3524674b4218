"""Programs that ran on PyFlink 2.3.0 print here what they printed there."""

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.parity.programs import PROGRAMS, Program
from wiesel.common import Row, Types
from wiesel.core.errors import WieselError
from wiesel.datastream import StreamExecutionEnvironment


def run(program: Program) -> list[str]:
    """Return the lines that the program prints; its failure goes through."""
    environment = StreamExecutionEnvironment.get_execution_environment()
    environment.set_parallelism(program.parallelism)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            program.build(environment)
            environment.execute(program.name)
    finally:
        printed.append(output.getvalue().splitlines())
    return printed[-1]


printed: list[list[str]] = []


def collected(stream: Any) -> Any:
    """The iterator of results (the method's type depends on its arguments)."""
    return stream.execute_and_collect()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_prints_what_pyflink_printed(program: Program) -> None:
    if program.error is not None:
        with pytest.raises(WieselError) as failure:
            run(program)
        assert program.error in str(failure.value)
    else:
        run(program)
    lines = printed[-1]
    expected = list(program.expected)
    assert lines == expected if program.ordered else sorted(lines) == sorted(expected)


@pytest.fixture
def env() -> Iterator[StreamExecutionEnvironment]:
    environment = StreamExecutionEnvironment.get_execution_environment()
    environment.set_parallelism(1)
    yield environment
    environment.close()


def test_collected_records_are_what_the_stream_s_type_makes_of_them(env: StreamExecutionEnvironment) -> None:
    row = Types.ROW([Types.INT(), Types.STRING()])
    with collected(env.from_collection([1, 2]).map(lambda x: Row(x, "a"), output_type=row)) as results:
        assert [repr(result) for result in results] == ["Row(f0=1, f1='a')", "Row(f0=2, f1='a')"]


def test_collected_untyped_records_are_as_they_were_emitted(env: StreamExecutionEnvironment) -> None:
    with collected(env.from_collection([1, 2]).map(lambda x: (x, "a"))) as results:
        assert list(results) == [(1, "a"), (2, "a")]


def test_a_limit_gives_a_list(env: StreamExecutionEnvironment) -> None:
    assert env.from_collection([1, 2, 3]).execute_and_collect(limit=2) == [1, 2]


def test_a_global_is_a_copy_for_the_job(env: StreamExecutionEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    counter = [0]

    def increase(value: int) -> int:
        counter[0] += 1
        return counter[0]

    env.from_collection([1, 1]).map(increase).print()
    env.execute()
    assert capsys.readouterr().out == "1\n2\n"
    assert counter == [0]


def test_a_program_without_operators_is_refused(env: StreamExecutionEnvironment) -> None:
    with pytest.raises(WieselError, match="No operators defined in streaming topology"):
        env.execute()


def test_streams_of_different_types_cannot_be_united(env: StreamExecutionEnvironment) -> None:
    typed = env.from_collection([2], type_info=Types.INT())
    with pytest.raises(WieselError, match="different types: PickledByteArrayTypeInfo and Integer"):
        env.from_collection([1]).union(typed)


def test_the_defaults_are_flink_s(env: StreamExecutionEnvironment) -> None:
    assert env.get_config().get_auto_watermark_interval() == 200
    assert env.get_checkpoint_interval() == -1
    assert env.get_checkpointing_mode().name == "AT_LEAST_ONCE"
    assert env.get_max_parallelism() == -1
    assert env.get_buffer_timeout() == 100
    stream = env.from_collection([1])
    assert repr(stream.get_type()) == repr(stream.map(lambda x: x).get_type()) == "PickledByteArrayTypeInfo"
    assert stream.name("x").get_name() == "x"


@pytest.mark.parametrize("function", [5, type("NotAFunction", (), {"map": lambda self, value: value})()])
def test_map_takes_only_functions(env: StreamExecutionEnvironment, function: Any) -> None:
    with pytest.raises(TypeError, match="The input must be a MapFunction or a callable function"):
        env.from_collection([1]).map(function)


def test_a_plan_names_kind_and_parallelism_of_each_operator(env: StreamExecutionEnvironment) -> None:
    env.from_collection([1]).map(lambda x: x).print()
    nodes = json.loads(env.get_execution_plan())["nodes"]
    first, last = nodes[0], nodes[-1]
    assert (first["type"], first["pact"], first["parallelism"]) == ("Source: Collection Source", "Data Source", 1)
    assert (last["type"], last["pact"]) == ("Sink: Print to Std. Out", "Data Sink")
