"""The oracle: compares what a reader saw with what the input demands. Knows nothing of the engine."""

from __future__ import annotations

import enum
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.workload import sums

#: Topic and partition.
Place = tuple[str, int]
#: What a reader saw, by place and in order: offset and value.
Seen = Mapping[Place, Sequence[tuple[int, str]]]


class Kind(enum.Enum):
    """What can be wrong."""

    LOSS = "loss"
    DUPLICATE = "dup"
    #: Wrong counts or sums, disorder, records that nobody wrote, readers that disagree.
    CORRUPT = "corrupt"
    #: The job did not go on, ended by itself, or left a transaction open.
    STUCK = "stuck"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    kind: Kind
    detail: str

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.detail}"


_EXAMPLES: Final = 3


def judge(seen: Seen, topics: Sequence[str], fed: Mapping[str, int], *, complete: bool) -> list[Fault]:
    """O1: each topic holds each key's records once, in order, with the counts and sums of one undisturbed run.

    Args:
        seen: what a reader saw.
        topics: all outputs; each must hold everything.
        fed: number of records of each key of the input.
        complete: whether everything has to be there; else the end of each key may still be on its way.
    """
    faults: list[Fault] = []
    for topic in topics:
        keys = _by_key(seen, topic)
        for key in sorted(keys.keys() | set(fed)):
            faults += _judge_key(f"{topic} {key}", key, keys.get(key, []), fed.get(key, 0), complete)
    return faults


def judge_readers(during: Seen, after: Seen) -> list[Fault]:
    """O2: the reader during the run saw exactly what a reader sees after it."""
    faults = []
    for place in sorted(during.keys() | after.keys()):
        one, other = list(during.get(place, ())), list(after.get(place, ()))
        if one != other:
            differing = [(a, b) for a, b in itertools.zip_longest(one, other) if a != b]
            detail = f"{place}: readers disagree on {len(differing)} records, first {differing[0]}"
            faults.append(Fault(Kind.CORRUPT, detail))
    return faults


#: seq, count and sum of one output record, with the partition it lies in.
_Output = tuple[int, int, int, int]


def _by_key(seen: Seen, topic: str) -> dict[str, list[_Output]]:
    keys: dict[str, list[_Output]] = defaultdict(list)
    for (of_topic, partition), records in seen.items():
        if of_topic == topic:
            for _, value in records:
                key, seq, count, total = value.split(",")
                keys[key].append((int(seq), int(count), int(total), partition))
    return keys


def _judge_key(where: str, key: str, records: Sequence[_Output], fed: int, complete: bool) -> list[Fault]:
    seqs = [seq for seq, *_ in records]
    last = fed if complete else max(seqs, default=0)
    faults = []
    if missing := sorted(set(range(1, last + 1)) - set(seqs)):
        faults.append(Fault(Kind.LOSS, f"{where}: {len(missing)} records, {_some(missing)}"))
    if repeated := sorted(seq for seq, times in Counter(seqs).items() if times > 1):
        faults.append(Fault(Kind.DUPLICATE, f"{where}: {len(repeated)} records, {_some(repeated)}"))
    if invented := sorted({seq for seq in seqs if not 1 <= seq <= fed}):
        faults.append(Fault(Kind.CORRUPT, f"{where}: nobody wrote {_some(invented)}"))
    first_times = list(dict.fromkeys(seqs))
    if first_times != sorted(first_times):
        faults.append(Fault(Kind.CORRUPT, f"{where}: out of order"))
    if len({partition for *_, partition in records}) > 1:
        faults.append(Fault(Kind.CORRUPT, f"{where}: in several partitions"))
    expected = dict(zip(range(1, fed + 1), sums(key), strict=False))
    wrong = [seq for seq, count, total, _ in records if (count, total) != (seq, expected.get(seq))]
    if wrong:
        faults.append(Fault(Kind.CORRUPT, f"{where}: {len(wrong)} wrong counts or sums, {_some(wrong)}"))
    return faults


def _some(seqs: Sequence[int]) -> str:
    return ", ".join(map(str, seqs[:_EXAMPLES])) + (" …" if len(seqs) > _EXAMPLES else "")
