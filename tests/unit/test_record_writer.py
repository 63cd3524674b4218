"""The sending end: which subtask gets a record, with which key, in which order with control elements."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.support.tasks import job_graph
from wiesel.common import Types
from wiesel.core.elements import Batch, CheckpointBarrier, Watermark
from wiesel.core.errors import TypeMismatchError
from wiesel.core.key_groups import key_group, subtask_of
from wiesel.core.types import TypeInformation
from wiesel.runtime.exchange.channel import CAPACITY, LocalChannel
from wiesel.runtime.exchange.record_writer import RecordWriter
from wiesel.runtime.inlining import Step, emit_function


class Edge:
    """A writer of the first edge of a program, to several receivers."""

    def __init__(
        self, build: Callable[[Any], Any], receivers: int = 2, output_type: TypeInformation | None = None
    ) -> None:
        graph = job_graph(
            lambda env: build(env.from_collection([], type_info=output_type)).map(lambda value: value).print()
        )
        self.channels = [LocalChannel() for _ in range(receivers)]
        self.writer = RecordWriter(graph.edges[0], self.channels, 128, Random(1))
        self.emit = emit_function([Step("writer", self.writer.inline, ())], "writer")

    def send(self, *values: Any) -> None:
        for value in values:
            self.emit(value, 0)
        self.writer.flush()

    def taken(self) -> list[list[Any]]:
        """Return what each receiver got."""
        taken: list[list[Any]] = []
        for channel in self.channels:
            taken.append([])
            while (element := channel.poll()) is not None:
                taken[-1] += element.values if isinstance(element, Batch) else [element]
        return taken


def test_rebalance_deals_records_in_turn_over_batches() -> None:
    edge = Edge(lambda stream: stream.rebalance())
    edge.send(1, 2, 3)
    edge.send(4, 5)
    assert edge.taken() == [[1, 3, 5], [2, 4]]


def test_broadcast_gives_every_receiver_a_value_of_its_own() -> None:
    edge = Edge(lambda stream: stream.broadcast())
    edge.send([1])
    first, second = edge.taken()
    assert first == second == [[1]]
    assert first[0] is not second[0]


def test_shuffle_reaches_every_receiver() -> None:
    edge = Edge(lambda stream: stream.shuffle())
    edge.send(*range(100))
    assert sorted(value for values in edge.taken() for value in values) == list(range(100))
    edge.send(*range(100))
    assert all(edge.taken())


def test_a_custom_partitioner_decides_and_is_held_to_the_number_of_receivers() -> None:
    edge = Edge(lambda stream: stream.partition_custom(lambda key, count: key % count, lambda value: value + 1))
    edge.send(1, 2, 3)
    assert edge.taken() == [[1, 3], [2]]
    wrong = Edge(lambda stream: stream.partition_custom(lambda key, count: count, lambda value: value))
    with pytest.raises(ValueError, match="returned 2; it must be from 0 to 1"):
        wrong.send(1)


@pytest.mark.parametrize("key_type", [Types.LONG(), Types.INT(), Types.PICKLED_BYTE_ARRAY()])
def test_a_key_goes_to_the_subtask_that_owns_its_group(key_type: TypeInformation) -> None:
    edge = Edge(lambda stream: stream.key_by(lambda value: value, key_type=key_type), receivers=3)
    edge.send(*range(50))
    for subtask, values in enumerate(edge.taken()):
        assert values
        assert {subtask_of(key_group(value, key_type, 128), 128, 3) for value in values} == {subtask}


def keys(receivers: int, key_type: TypeInformation, *values: Any) -> list[Any]:
    edge = Edge(lambda stream: stream.key_by(lambda value: value, key_type=key_type), receivers)
    edge.send(*values)
    found: list[Any] = []
    for channel in edge.channels:
        while (element := channel.poll()) is not None:
            assert isinstance(element, Batch)
            assert element.keys is not None
            found += element.keys
    return found


@pytest.mark.parametrize("receivers", [1, 2])
@pytest.mark.parametrize(
    ("key_type", "values", "expected"),
    [
        (Types.INT(), [1, True, 1.9], [1, 1, 1]),
        (Types.LONG(), [None, 2**62, 3], [None, 2**62, 3]),
        (Types.BYTE(), [-128, 127], [-128, 127]),
        (Types.STRING(), ["a", None], ["a", None]),
        (Types.FLOAT(), [0.1], [0.10000000149011612]),
        (Types.PICKLED_BYTE_ARRAY(), [1, True, "a"], [1, True, "a"]),
    ],
)
def test_keys_are_what_their_declared_type_makes_of_them(
    receivers: int, key_type: TypeInformation, values: list[Any], expected: list[Any]
) -> None:
    found = keys(receivers, key_type, *values)
    assert Counter(map(repr, found)) == Counter(map(repr, expected))


@pytest.mark.parametrize(
    ("key_type", "key"), [(Types.STRING(), 1), (Types.INT(), "1"), (Types.INT(), 2**31), (Types.LONG(), 2**63)]
)
def test_a_key_that_does_not_fit_its_type_is_refused(key_type: TypeInformation, key: Any) -> None:
    with pytest.raises(TypeMismatchError):
        keys(1, key_type, key)


def test_a_typed_stream_is_coerced_on_its_way_and_an_untyped_one_is_not() -> None:
    edge = Edge(lambda stream: stream.rebalance(), 1, Types.INT())
    edge.send(1.7, True)
    assert [repr(value) for value in edge.taken()[0]] == ["1", "1"]
    edge = Edge(lambda stream: stream.rebalance(), 1)
    edge.send(1.7, True)
    assert edge.taken() == [[1.7, True]]


def test_a_value_that_changes_after_it_was_emitted_arrives_as_it_was() -> None:
    edge = Edge(lambda stream: stream.rebalance(), 1)
    value = [1]
    edge.emit(value, 0)
    value.append(2)
    edge.writer.flush()
    assert edge.taken() == [[[1]]]


def test_control_elements_reach_every_receiver_behind_what_was_emitted_before() -> None:
    edge = Edge(lambda stream: stream.rebalance())
    edge.emit(1, 0)
    edge.writer.broadcast_watermark(5)
    edge.emit(2, 0)
    edge.writer.broadcast(CheckpointBarrier(1))
    assert edge.taken() == [[1, Watermark(5), CheckpointBarrier(1)], [Watermark(5), 2, CheckpointBarrier(1)]]


def test_one_full_receiver_holds_the_sender_back() -> None:
    edge = Edge(lambda stream: stream.key_by(lambda value: 1))
    assert edge.writer.has_credit()
    edge.send(*range(CAPACITY))
    assert not edge.writer.has_credit()
