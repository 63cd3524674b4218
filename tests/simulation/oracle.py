"""What readers saw against what the input demands: the oracles of the kill harness, fed from simulated partitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.chaos.verdict import Fault, Kind, Place, judge, judge_readers
from tests.simulation.broker import SimulatedKafka
from tests.simulation.job import OUTPUTS


class Reader:
    """A ``read_committed`` reader of all outputs.

    Args:
        kafka: the cluster.
    """

    def __init__(self, kafka: SimulatedKafka) -> None:
        self._kafka = kafka
        self._positions: dict[Place, int] = {}
        self.seen: dict[Place, list[tuple[int, str]]] = defaultdict(list)
        #: The highest seq of each key, by topic.
        self.newest: dict[str, dict[str, int]] = {topic: defaultdict(int) for topic in OUTPUTS}

    def read(self) -> None:
        """Read on to the last stable offsets."""
        for topic in OUTPUTS:
            newest = self.newest[topic]
            for number, log in enumerate(self._kafka.topic(topic).partitions):
                place = (topic, number)
                start, end = self._positions.get(place, 0), log.last_stable_offset
                if end > start:
                    for record in log.read(start, end, committed=True):
                        text = (record.value or b"").decode()
                        self.seen[place].append((record.offset, text))
                        key, seq, *_ = text.split(",")
                        newest[key] = max(newest[key], int(seq))
                    self._positions[place] = end

    def has_all(self, fed: Mapping[str, int]) -> bool:
        """Whether the end of every key has arrived in every topic."""
        return all(self.newest[topic].get(key, 0) >= last for topic in OUTPUTS for key, last in fed.items())


def verdict(
    kafka: SimulatedKafka, during: Reader, fed: Mapping[str, int], rewinds: int, *, complete: bool
) -> list[Fault]:
    """Return all that is wrong: O1, O2, and at the end O3.

    Args:
        kafka: the cluster.
        during: the reader that ran all the time.
        fed: number of records of each key.
        rewinds: how often the user went back by choice; so often a key's output may be repeated from some point.
        complete: whether everything must be there.
    """
    during.read()
    seen = forgive(during.seen, rewinds)
    faults = judge(seen, OUTPUTS, fed, complete=complete)
    if complete:
        after = Reader(kafka)
        after.read()
        faults += judge_readers(during.seen, after.seen)
        for name, topic in kafka.topics.items():
            hanging = [number for number, log in enumerate(topic.partitions) if log.open]
            if hanging:
                faults.append(Fault(Kind.STUCK, f"{name} {hanging}: a transaction is open"))
    return faults


def forgive(seen: Mapping[Place, Sequence[tuple[int, str]]], rewinds: int) -> dict[Place, list[tuple[int, str]]]:
    """Leave out what a rewind repeats: per key, up to so many times, a range that ends where the output had been.

    What it repeats must be what was there, word for word; else it stays, and is a duplicate.
    """
    result: dict[Place, list[tuple[int, str]]] = {}
    for place, records in seen.items():
        kept: list[tuple[int, str]] = []
        texts: dict[str, dict[int, str]] = defaultdict(dict)
        last: dict[str, int] = defaultdict(int)
        drops: dict[str, int] = defaultdict(int)
        for offset, text in records:
            key, seq_text, *_ = text.split(",")
            seq = int(seq_text)
            if seq <= last[key]:
                drops[key] += 1
            elif seq != last[key] + 1:
                drops[key] = rewinds + 1  # a gap is no rewind
            last[key] = seq
            if seq not in texts[key]:
                texts[key][seq] = text
                kept.append((offset, text))
            elif drops[key] > rewinds or texts[key][seq] != text:
                kept.append((offset, text))
        result[place] = kept
    return result
