"""From stream graph to job graph: what shares a task, what it is called, how the tasks are joined."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.tasks import job_graph
from wiesel.common import Types
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import OutputTag, ProcessFunction, StreamExecutionEnvironment
from wiesel.graph.job_graph import JobGraph
from wiesel.graph.plan import to_json, to_text
from wiesel.graph.transformations import ShipStrategy

Env = StreamExecutionEnvironment
TAG = OutputTag("side", Types.STRING())


class Split(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        yield TAG, str(value)
        yield value


def same(value: Any) -> Any:
    return value


def names(graph: JobGraph) -> list[str]:
    return [vertex.name for vertex in graph.vertices]


def strategies(graph: JobGraph) -> list[str]:
    return [edge.partitioning.strategy.value for edge in graph.edges]


@pytest.mark.parametrize(
    ("build", "vertices"),
    [
        (
            lambda s: s.map(same).filter(same).print(),
            ["Source: Collection Source -> Map, Filter, Map -> Sink: Print to Std. Out"],
        ),
        (
            lambda s: s.map(same).disable_chaining().print(),
            ["Source: Collection Source", "Map", "Map -> Sink: Print to Std. Out"],
        ),
        (
            lambda s: s.map(same).start_new_chain().print(),
            ["Source: Collection Source", "Map, Map -> Sink: Print to Std. Out"],
        ),
        (
            lambda s: s.map(same).slot_sharing_group("g").print(),
            ["Source: Collection Source", "Map -> Map -> Sink: Print to Std. Out"],
        ),
        (
            lambda s: s.rebalance().map(same).print(),
            ["Source: Collection Source", "Map, Map -> Sink: Print to Std. Out"],
        ),
        (
            lambda s: s.key_by(same).map(same).print(),
            ["Source: Collection Source -> _stream_key_by_map_operator", "Map, Map -> Sink: Print to Std. Out"],
        ),
    ],
)
def test_operators_are_chained_by_flinks_rules(build: Callable[[Any], Any], vertices: list[str]) -> None:
    assert names(job_graph(lambda env: build(env.from_collection([1])))) == vertices


def test_nothing_is_chained_when_chaining_is_off() -> None:
    def build(env: Env) -> None:
        env.disable_operator_chaining()
        env.from_collection([1]).map(same).print()

    assert len(job_graph(build).vertices) == 3


def test_several_readers_of_one_operator_share_its_chain() -> None:
    def build(env: Env) -> None:
        stream = env.from_collection([1]).map(same)
        stream.print()
        stream.map(same).print()

    [name] = names(job_graph(build))
    assert (
        name
        == "Source: Collection Source -> Map -> (Map -> Sink: Print to Std. Out, Map, Map -> Sink: Print to Std. Out)"
    )


def test_a_side_output_is_chained_like_any_other_output() -> None:
    def build(env: Env) -> None:
        split = env.from_collection([1]).process(Split())
        split.print()
        split.get_side_output(TAG).print()

    graph = job_graph(build)
    assert len(graph.vertices) == 1
    assert [link.side_output for link in graph.vertices[0].links] == [None, None, "side"]


def test_a_union_is_two_edges_into_one_task_even_of_a_stream_with_itself() -> None:
    def build(env: Env) -> None:
        stream = env.from_collection([1])
        stream.union(stream, env.from_collection([2])).map(same).print()

    graph = job_graph(build)
    assert [edge.source_vertex for edge in graph.in_edges(graph.vertices[-1].vertex_id)] == [1, 1, 2]


def test_two_inputs_keep_their_numbers() -> None:
    from wiesel.datastream import CoMapFunction

    class Both(CoMapFunction):
        def map1(self, value: Any) -> Any:
            return value

        def map2(self, value: Any) -> Any:
            return value

    def build(env: Env) -> Any:
        connected: Any = env.from_collection([1]).connect(env.from_collection([2]))
        return connected.map(Both()).print()

    graph = job_graph(build)
    assert [edge.input_index for edge in graph.edges] == [0, 1]


def test_a_change_of_parallelism_rebalances_where_the_user_chose_nothing() -> None:
    graph = job_graph(lambda env: env.from_collection([1]).map(same).print(), parallelism=2)
    assert [vertex.parallelism for vertex in graph.vertices] == [1, 2]
    assert strategies(graph) == ["REBALANCE"]


def test_forward_does_not_allow_a_change_of_parallelism() -> None:
    with pytest.raises(ConfigurationError, match="Forward partitioning does not allow change of parallelism"):
        job_graph(lambda env: env.from_collection([1]).forward().map(same).print(), parallelism=2)


@pytest.mark.parametrize("strategy", ["shuffle", "rescale", "rebalance", "broadcast"])
def test_what_the_user_chose_is_kept(strategy: str) -> None:
    graph = job_graph(lambda env: getattr(env.from_collection([1]), strategy)().map(same).print())
    assert strategies(graph) == [strategy.upper()]


def test_the_key_groups_of_a_keyed_operator_do_not_depend_on_what_is_chained_to_it() -> None:
    graph = job_graph(
        lambda env: env.from_collection([1]).key_by(same).map(same).map(same).set_max_parallelism(512).print()
    )
    assert graph.vertices[1].max_parallelism == 128


def test_a_parallelism_above_its_maximum_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="above its maximum parallelism 2"):
        job_graph(lambda env: env.from_collection([1]).map(same).set_parallelism(4).set_max_parallelism(2).print())


def uids(build: Callable[[Env], Any]) -> list[str]:
    return [operator.uid for _, operator in job_graph(build).operators()]


def test_generated_uids_are_the_same_in_every_run_and_differ_within_one() -> None:
    def build(env: Env) -> None:
        stream = env.from_collection([1])
        stream.map(same).print()
        stream.map(same).print()

    assert uids(build) == uids(build)
    assert len(set(uids(build))) == 5


def test_a_name_or_a_parallelism_does_not_change_a_generated_uid() -> None:
    plain = uids(lambda env: env.from_collection([1]).map(same).print())
    named = uids(lambda env: env.from_collection([1]).map(same).name("other").set_parallelism(3).print())
    assert plain == named


def test_an_operator_before_it_changes_a_generated_uid_but_not_the_user_s_own() -> None:
    short = uids(lambda env: env.from_collection([1]).map(same).uid("mine").print())
    long = uids(lambda env: env.from_collection([1]).filter(same).map(same).uid("mine").print())
    assert "mine" in short
    assert "mine" in long
    plain = uids(lambda env: env.from_collection([1]).filter(same).map(same).print())
    assert plain[2] != uids(lambda env: env.from_collection([1]).map(same).print())[1]


def test_the_same_uid_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'mine'"):
        job_graph(lambda env: env.from_collection([1]).map(same).uid("mine").map(same).uid("mine").print())


def test_the_user_s_hash_is_taken_verbatim_and_must_be_one() -> None:
    digits = "0123456789abcdef" * 2
    assert digits in uids(lambda env: env.from_collection([1]).map(same).set_uid_hash(digits).print())
    with pytest.raises(ConfigurationError, match="32 character"):
        job_graph(lambda env: env.from_collection([1]).map(same).set_uid_hash("short").print())


def test_a_plan_as_text_names_tasks_operators_and_how_they_are_joined() -> None:
    text = to_text(job_graph(lambda env: env.from_collection([1]).key_by(same).map(same).uid("m").print()))
    assert "2. Map, Map -> Sink: Print to Std. Out  (parallelism 1)" in text
    assert "operator 'Map'  uid m" in text
    assert "reads 1 by HASH" in text


def test_a_plan_as_json_has_flinks_fields() -> None:
    environment = Env(Configuration())
    environment.set_parallelism(1)
    environment.from_collection([1]).map(same).print()
    nodes = json.loads(to_json(environment._stream_graph("job")))["nodes"]
    assert [node["pact"] for node in nodes] == ["Data Source", "Operator", "Data Sink"]
    assert nodes[1]["predecessors"] == [{"id": 1, "ship_strategy": ShipStrategy.FORWARD.value, "side": "second"}]
