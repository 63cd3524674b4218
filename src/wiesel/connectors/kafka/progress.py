"""The records of the progress topic, and what the newest of them say.

The topic has one partition and is compacted: for each key only the newest record counts. A claim says which start of
which job owns a transactional id; a marker is the last record of the transaction that published a segment; an echo lets
a `read_committed` reader know that everything before it has been resolved.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from wiesel.core import exit_codes
from wiesel.core.errors import WieselError

FORMAT_VERSION = 1


class ProgressRecordError(WieselError):
    """The progress topic holds a record that this version of Wiesel must not interpret."""

    exit_code: ClassVar[int] = exit_codes.STATE


@dataclass(frozen=True, slots=True)
class Claim:
    """The owner of a transactional id: one start of one store (job directory)."""

    tid: str
    store: str
    """The job directory's uuid, made once."""
    start: int
    """The store's durable counter, raised at every start of any lineage."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Segment `seq` of (tid, lineage), and so every segment below it, is in the output topics."""

    tid: str
    lineage: str
    seq: int
    checkpoint_id: int
    count: int
    """Number of output records in the segment."""
    crc: int
    """CRC-32 of the segment's blocks, as in the trailer of its file."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A nonce whose arrival proves that every transaction written before it was seen committed or aborted."""

    job: str
    nonce: str


ProgressRecord: TypeAlias = Claim | Marker | Echo


class Progress:
    """The newest claim of each transactional id and the newest marker of each (transactional id, lineage).

    Feed it the topic's committed records in offset order; *newest* is the last one observed, not the highest number.
    """

    __slots__ = ("_claims", "_markers")

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self._markers: dict[tuple[str, str], Marker] = {}

    def observe(self, record: ProgressRecord | None) -> None:
        """Fold the next record of the partition in. Tombstones (None) and echoes change nothing."""
        if isinstance(record, Claim):
            self._claims[record.tid] = record
        elif isinstance(record, Marker):
            self._markers[record.tid, record.lineage] = record

    def claim(self, tid: str) -> Claim | None:
        """The newest claim of `tid`, or None when nobody ever claimed it."""
        return self._claims.get(tid)

    def claimed(self) -> list[str]:
        """The transactional ids that anybody ever claimed."""
        return list(self._claims)

    def marker(self, tid: str, lineage: str) -> Marker | None:
        """The newest marker of `tid` in `lineage`, or None when nothing of it was ever published."""
        return self._markers.get((tid, lineage))

    def markers(self, tid: str) -> list[Marker]:
        """The newest markers of `tid`, one a lineage. No decision needs more than one; the kill harness does."""
        return [marker for (owner, _), marker in self._markers.items() if owner == tid]


def encode(record: ProgressRecord) -> tuple[bytes, bytes]:
    """Key and value of `record`. Equal identities give equal key bytes, which compaction relies on."""
    match record:
        case Claim(tid, store, start):
            return _dump({"type": "claim", "tid": tid}), _versioned({"store": store, "start": start})
        case Marker(tid, lineage, seq, checkpoint_id, count, crc):
            key = {"type": "marker", "tid": tid, "lineage": lineage}
            return _dump(key), _versioned({"seq": seq, "checkpoint_id": checkpoint_id, "count": count, "crc": crc})
        case Echo(job, nonce):
            return _dump({"type": "echo", "job": job}), _versioned({"nonce": nonce})


def decode(key: bytes | None, value: bytes | None) -> ProgressRecord | None:
    """The record behind `key` and `value`, or None for a tombstone.

    Raises ProgressRecordError for anything else than a well-formed record of a known version: to ignore a claim or a
    marker could publish output twice.
    """
    if value is None:
        return None
    try:
        names, fields = _load(key), _load(value)
        version = fields.pop("version")
        if version != FORMAT_VERSION:
            raise ProgressRecordError(
                f"The progress topic holds a record of format version {version!r}; this Wiesel knows {FORMAT_VERSION}. "
                "A newer Wiesel has used this transactional id prefix: run the job with that version or a later one."
            )
        return _build(names.pop("type"), names | fields)
    except (KeyError, TypeError, ValueError) as error:
        raise ProgressRecordError(
            f"The progress topic holds a record that is not Wiesel's (key {_excerpt(key)}, value {_excerpt(value)}). "
            "The topic must be used by nothing else: choose another one for this transactional id prefix, "
            "or upgrade Wiesel if a newer version wrote it."
        ) from error


_FIELDS: dict[str, tuple[type[ProgressRecord], dict[str, type]]] = {
    "claim": (Claim, {"tid": str, "store": str, "start": int}),
    "marker": (Marker, {"tid": str, "lineage": str, "seq": int, "checkpoint_id": int, "count": int, "crc": int}),
    "echo": (Echo, {"job": str, "nonce": str}),
}


def _build(kind: object, fields: dict[str, Any]) -> ProgressRecord:
    record_class, types = _FIELDS[str(kind)]
    for name, expected in types.items():
        if type(fields[name]) is not expected:  # bool is an int to isinstance, and no sequence number
            raise TypeError(f"{name} is {fields[name]!r}")
    # Fields that a later minor change adds are ignored; one that changes a decision raises the version.
    return record_class(**{name: fields[name] for name in types})


def _versioned(fields: dict[str, str | int]) -> bytes:
    return _dump({"version": FORMAT_VERSION, **fields})


def _dump(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def _load(data: bytes | None) -> dict[str, Any]:
    if data is None:
        raise ValueError("no key")
    fields = json.loads(data)
    if not isinstance(fields, dict):
        raise TypeError("not an object")
    return fields


def _excerpt(data: bytes | None) -> str:
    return repr(data if data is None or len(data) <= 60 else data[:60] + b"...")
