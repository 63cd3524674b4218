"""The sending end of an edge: gathers what a task emits during a step and spreads it over the receiving subtasks.

Taking a record only appends it; keys and targets are worked out for the whole batch when the step ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from random import Random
from typing import Any

from wiesel.core.elements import Batch, CheckpointBarrier, EndOfInput, Watermark, WatermarkStatus
from wiesel.core.functions import Function, KeySelector, Partitioner, RuntimeContext, method_or_callable
from wiesel.core.isolation import ATOMS, isolate
from wiesel.core.key_groups import subtasks_function
from wiesel.core.shipping import ShippedFunction
from wiesel.core.types import Types
from wiesel.graph.job_graph import JobEdge
from wiesel.graph.transformations import ShipStrategy
from wiesel.runtime.exchange.channel import SendingEnd
from wiesel.runtime.exchange.keys import keys_function
from wiesel.runtime.inlining import Inline


class RecordWriter:
    """One edge's outgoing end in one subtask.

    Args:
        edge: which edge.
        channels: one a receiving subtask; a single one for forward edges.
        max_parallelism: key groups of the receiver.
        random: for ``shuffle``.
        object_reuse: ``pipeline.object-reuse``: receivers get the very objects that were emitted, as in a chain.
        given_away: nobody but this writer has the objects, so one receiver of each may have them.
    """

    def __init__(
        self,
        edge: JobEdge,
        channels: Sequence[SendingEnd],
        max_parallelism: int,
        random: Random,
        object_reuse: bool = False,
        given_away: bool = False,
    ) -> None:
        self.channels = channels
        self.records_out = 0
        self._values: list[Any] = []
        self._timestamps: list[int] = []
        self._next = 0
        self._random = random
        self._object_reuse = object_reuse
        self._given_away = given_away
        partitioning = edge.partitioning
        self._functions: list[Function] = []
        self._opened: list[Function] = []
        self._key_of: Callable[[Any], Any] | None = None
        if partitioning.key_selector is not None:
            self._key_of = method_or_callable(self._load(partitioning.key_selector), KeySelector, "get_key")
        self._send = self._sender(edge, max_parallelism)
        coerced = edge.type_info is not None and not edge.type_info.is_identity
        self._coerce = edge.type_info.coercer() if coerced and edge.type_info is not None else None
        #: What takes a record, as lines.
        self.inline = self._inline()

    @property
    def bytes_out(self) -> int:
        """Bytes of the records that went to other processes."""
        return sum(channel.bytes_sent for channel in self.channels)

    def _load(self, shipped: ShippedFunction) -> Any:
        function = shipped.load()
        if isinstance(function, Function):
            self._functions.append(function)
        return function

    def open(self, runtime_context: RuntimeContext) -> None:
        """Call ``open`` of the key selector and the partitioner, where they have one."""
        for function in self._functions:
            function.open(runtime_context)
            self._opened.append(function)

    def close(self) -> None:
        """Call ``close`` of those that were opened."""
        while self._opened:
            self._opened.pop().close()

    def _inline(self) -> Inline:
        names: dict[str, Any] = {"add_value": self._values.append, "add_timestamp": self._timestamps.append}
        taken = "{value}"
        if self._coerce is not None:
            names |= {"coerce": self._coerce, "isolate": isolate}
            taken = "{isolate}({coerce}({value}))"
        elif not self._object_reuse and not self._given_away:
            names |= {"atoms": ATOMS, "isolate": isolate}
            taken = "{value} if type({value}) in {atoms} else {isolate}({value})"
        return Inline((f"{{add_value}}({taken})", "{add_timestamp}(timestamp)"), names, emits=None)

    def emit_batch(self, values: list[Any], timestamps: list[int]) -> None:
        """Take a whole batch, for sources whose records go straight to an exchange and are nobody else's."""
        self._values += values  # as typed as the source declares them
        self._timestamps += timestamps

    def flush(self) -> None:
        """Send what was gathered."""
        if self._values:
            values, timestamps = self._values[:], self._timestamps[:]
            # The bound appends keep pointing at these two lists.
            self._values.clear()
            self._timestamps.clear()
            self.records_out += len(values)
            self._send(values, timestamps)

    def broadcast(self, element: Watermark | WatermarkStatus | CheckpointBarrier | EndOfInput) -> None:
        """Send a control element to every receiver, behind everything emitted so far."""
        self.flush()
        for channel in self.channels:
            channel.put(element)

    def broadcast_watermark(self, watermark: int) -> None:
        """Send a watermark to every receiver."""
        self.broadcast(Watermark(watermark))

    def broadcast_status(self, idle: bool) -> None:
        """Send an idle status to every receiver."""
        self.broadcast(WatermarkStatus(idle))

    def has_credit(self) -> bool:
        """Whether every receiver has room."""
        return all(channel.has_credit() for channel in self.channels)

    # ------------------------------------------------------------------------------------------- strategies

    def _sender(self, edge: JobEdge, max_parallelism: int) -> Callable[[list[Any], list[int]], None]:
        strategy = edge.partitioning.strategy
        if strategy is ShipStrategy.HASH:
            return self._hash_sender(edge, max_parallelism)
        if strategy is ShipStrategy.BROADCAST:
            return self._to_all
        if strategy is ShipStrategy.CUSTOM:
            return self._custom_sender(edge)
        if len(self.channels) == 1 or strategy in (ShipStrategy.FORWARD, ShipStrategy.GLOBAL):
            return self._to_first
        if strategy is ShipStrategy.SHUFFLE:
            return self._to_random
        return self._to_each_in_turn  # REBALANCE, and RESCALE whose channels are already the near ones

    def _to_first(self, values: list[Any], timestamps: list[int]) -> None:
        self.channels[0].put(Batch(values, timestamps))

    def _to_all(self, values: list[Any], timestamps: list[int]) -> None:
        first, *others = self.channels
        for channel in others:
            channel.put(Batch(values[:] if self._object_reuse else list(map(isolate, values)), timestamps[:]))
        first.put(Batch(values, timestamps))

    def _to_each_in_turn(self, values: list[Any], timestamps: list[int]) -> None:
        count = len(self.channels)
        for offset in range(min(count, len(values))):
            channel = self.channels[(self._next + offset) % count]
            channel.put(Batch(values[offset::count], timestamps[offset::count]))
        self._next = (self._next + len(values)) % count

    def _to_random(self, values: list[Any], timestamps: list[int]) -> None:
        count = len(self.channels)
        self._spread([self._random.randrange(count) for _ in values], values, timestamps, None)

    def _custom_sender(self, edge: JobEdge) -> Callable[[list[Any], list[int]], None]:
        shipped, key_of, count = edge.partitioning.partitioner, self._key_of, len(self.channels)
        assert shipped is not None and key_of is not None
        partition = method_or_callable(self._load(shipped), Partitioner, "partition")

        def send(values: list[Any], timestamps: list[int]) -> None:
            targets = [partition(key_of(value), count) for value in values]
            for target in targets:
                if not 0 <= target < count:
                    raise ValueError(f"The partitioner returned {target!r}; it must be from 0 to {count - 1}.")
            self._spread(targets, values, timestamps, None)

        return send

    def _hash_sender(self, edge: JobEdge, max_parallelism: int) -> Callable[[list[Any], list[int]], None]:
        channels, key_type = self.channels, edge.partitioning.key_type or Types.PICKLED_BYTE_ARRAY()
        assert self._key_of is not None
        keys_of = keys_function(self._key_of, key_type)
        if len(channels) == 1:

            def send_keyed(values: list[Any], timestamps: list[int]) -> None:
                channels[0].put(Batch(values, timestamps, keys_of(values)))

            return send_keyed
        subtasks_of = subtasks_function(key_type, max_parallelism, len(channels))

        def spread_keyed(values: list[Any], timestamps: list[int]) -> None:
            keys = keys_of(values)
            self._spread(subtasks_of(keys), values, timestamps, keys)

        return spread_keyed

    def _spread(self, targets: Sequence[int], values: list[Any], timestamps: list[int], keys: list[Any] | None) -> None:
        parts: list[list[int]] = [[] for _ in self.channels]
        for index, target in enumerate(targets):
            parts[target].append(index)
        for channel, indices in zip(self.channels, parts, strict=True):
            if indices:
                take = _taker(indices)
                channel.put(Batch(take(values), take(timestamps), None if keys is None else take(keys)))


def _taker(indices: list[int]) -> Callable[[list[Any]], list[Any]]:
    """Return what takes the elements at ``indices`` out of a list, without a step of Python's for each."""
    if len(indices) == 1:
        return lambda elements: [elements[indices[0]]]
    take = itemgetter(*indices)
    return lambda elements: list(take(elements))
