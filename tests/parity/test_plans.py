"""Execution plans and task names are those that were recorded on PyFlink 2.3.0 (``record_plans.py``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wiesel
from wiesel.compat import alias
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.graph.job_graph import build_job_graph
from wiesel.graph.plan import to_json

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("plans.json").read_text(encoding="utf-8"))

#: In Flink a map of PyFlink's own is a task by itself where two streams meet in key_by(); here the exchange does it.
TASKS_OF_FLINK_ALONE = {"union_of_two": ["_stream_key_by_map_operator", 1]}
#: PyFlink melts Python operators even where chaining is switched off; here each is a task then.
TASKS_OF_TWO_OPERATORS = {"no_chaining": ["Map, Filter, _stream_key_by_map_operator", 2]}


@pytest.fixture
def active() -> Iterator[None]:
    was_active = alias.is_active()
    wiesel.activate()
    yield
    if not was_active:
        alias.deactivate()


def shapes(nodes: list[dict[str, Any]]) -> list[str]:
    """Return the nodes as text without ids, each with all that it reads: equal for equal plans, in whatever order."""
    by_id = {node["id"]: node for node in nodes}

    def shape(node: dict[str, Any]) -> str:
        inputs = [[shape(by_id[p["id"]]), p["ship_strategy"], p["side"]] for p in node.get("predecessors", [])]
        return json.dumps([node["type"], node["pact"], node["contents"], node["parallelism"], inputs])

    return sorted(shape(node) for node in nodes)


def build(name: str) -> Any:
    from tests.parity.plan_programs import PROGRAMS

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    PROGRAMS[name](env)
    return env._stream_graph(None)


def test_every_program_is_recorded(active: None) -> None:
    from tests.parity.plan_programs import PROGRAMS

    assert list(RECORDED) == list(PROGRAMS)


@pytest.mark.parametrize("name", RECORDED)
def test_a_plan_is_that_of_pyflink(name: str, active: None) -> None:
    assert shapes(json.loads(to_json(build(name)))["nodes"]) == shapes(RECORDED[name]["nodes"])


@pytest.mark.parametrize("name", RECORDED)
def test_tasks_have_the_names_that_they_have_in_flink(name: str, active: None) -> None:
    tasks = sorted([vertex.name, vertex.parallelism] for vertex in build_job_graph(build(name)).vertices)
    twice = [TASKS_OF_TWO_OPERATORS[name]] if name in TASKS_OF_TWO_OPERATORS else []
    expected = [task for task in RECORDED[name]["vertices"] if task != TASKS_OF_FLINK_ALONE.get(name)]
    assert tasks == sorted(expected + twice)


def test_a_source_is_named_without_what_flink_writes_before_it(active: None) -> None:
    stream = StreamExecutionEnvironment.get_execution_environment().from_collection([1])
    assert (stream.get_name(), stream.name("mine").get_name()) == ("Collection Source", "mine")
    stream.print().name("out")
    types = [node["type"] for node in json.loads(stream.get_execution_environment().get_execution_plan())["nodes"]]
    assert (types[0], types[-1]) == ("Source: mine", "Sink: out")


def test_a_named_sink_that_commits_names_writer_and_committer(active: None, tmp_path: Path) -> None:
    from wiesel.common import Encoder, Types
    from wiesel.datastream.connectors.file_system import FileSink

    stream = StreamExecutionEnvironment.get_execution_environment().from_collection(["a"], Types.STRING())
    stream.sink_to(FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder()).build()).name("out")
    types = [node["type"] for node in json.loads(stream.get_execution_environment().get_execution_plan())["nodes"]]
    assert types[1:] == ["out: Writer", "out: Committer"]


def test_a_keyed_stream_is_printed_where_its_keys_belong(active: None, capfd: pytest.CaptureFixture[str]) -> None:
    """The subtasks are those that PyFlink chose for these keys (surprise 10)."""
    from wiesel.common import Types

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    env.from_collection(list("abcg"), Types.STRING()).key_by(lambda letter: letter, Types.STRING()).print()
    env.execute()
    assert sorted(capfd.readouterr().out.splitlines()) == ["1> c", "1> g", "2> a", "2> b"]
