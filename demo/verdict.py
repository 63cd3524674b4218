"""Compare what the job wrote with what it had to write, record by record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """How the records of one output are told apart.

    Args:
        key: the fields of the record's Kafka key; records of one key have to be in order.
        identity: the fields that name a record; two records with the same ones are duplicates.
    """

    key: tuple[str, ...]
    identity: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What is wrong with one output, and an example of each kind."""

    expected: int
    found: int
    missing: Sequence[Record] = ()
    twice: Sequence[Record] = ()
    different: Sequence[Record] = ()
    unexpected: Sequence[Record] = ()
    wrong_key: Sequence[Record] = ()
    keys_out_of_order: Sequence[str] = ()

    @property
    def is_right(self) -> bool:
        """Whether the output is the expected one: each record once, under its key, and each key in order."""
        return not any(examples for _, examples in self.faults())

    def faults(self) -> list[tuple[str, Sequence[object]]]:
        """Each kind of fault with all its cases."""
        return [
            ("missing", self.missing),
            ("twice", self.twice),
            ("different", self.different),
            ("unexpected", self.unexpected),
            ("wrong key", self.wrong_key),
            ("out of order", self.keys_out_of_order),
        ]


def compare(expected: Iterable[Record], found: Sequence[Record], rule: Rule, keys: Sequence[bytes | None]) -> Verdict:
    """The verdict over one output; both sides are in an order that keeps the order of every key.

    `keys` are the Kafka keys of the found records.
    """

    def identity(record: Record) -> tuple[Any, ...]:
        # A record that lacks a field is named by what it has, and so is found to be unexpected.
        return tuple(record.get(field) for field in rule.identity)

    wanted = {identity(record): record for record in expected}
    firsts: dict[tuple[Any, ...], Record] = {}
    twice: list[Record] = []
    for record in found:
        if identity(record) in firsts:
            twice.append(record)
        else:
            firsts[identity(record)] = record
    return Verdict(
        expected=len(wanted),
        found=len(found),
        missing=[record for name, record in wanted.items() if name not in firsts],
        twice=twice,
        different=[record for name, record in firsts.items() if name in wanted and record != wanted[name]],
        unexpected=[record for name, record in firsts.items() if name not in wanted],
        wrong_key=[record for key, record in zip(keys, found, strict=True) if key != key_of(record, rule).encode()],
        keys_out_of_order=out_of_order(
            [record for name, record in wanted.items() if name in firsts],
            [record for name, record in firsts.items() if name in wanted],
            rule,
        ),
    )


def key_of(record: Record, rule: Rule) -> str:
    """The Kafka key that a record belongs under."""
    return "-".join(str(record.get(field)) for field in rule.key)


def out_of_order(expected: Iterable[Record], found: Iterable[Record], rule: Rule) -> list[str]:
    """The keys whose records come in another order; both sides hold the same records, by their identity."""

    def sequences(records: Iterable[Record]) -> dict[str, list[tuple[Any, ...]]]:
        by_key: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for record in records:
            by_key[key_of(record, rule)].append(tuple(record.get(field) for field in rule.identity))
        return by_key

    wanted = sequences(expected)
    return sorted(key for key, sequence in sequences(found).items() if wanted.get(key) != sequence)
