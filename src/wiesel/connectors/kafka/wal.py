"""Write-ahead log segments: immutable files with the output of one sink subtask, verified before they are published.

A file is a magic, blocks and a trailer. A block holds records of one topic, in order; records of different topics may
change places, records of one topic never do. The trailer says what the file is and how much is in it, so that a file
that was cut short, or put in another's place, is found.

    magic (8 bytes) | block … | trailer length (4) | trailer (JSON) | CRC-32 of length and trailer (4)
    block: length of the payload (4) | payload: msgpack [topic, partition, [record, …]]
    record: [key, value, timestamp], and in files of version 2 [key, value, timestamp, [[header, bytes], …], partition]

The magic tells the version, and so does the trailer of version 2. Sinks without headers write version 1, which every
release reads.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.records import Header
from wiesel.core import failpoints
from wiesel.core.disk import AppendFile, Disk
from wiesel.core.errors import CheckpointCorruptError, CheckpointError

_MAGIC: Final = {1: b"WIESELW1", 2: b"WIESELW2"}
_MAGIC_BYTES: Final = 8
_ANY_VERSION: Final = b"WIESELW"
_LENGTH: Final = struct.Struct("<I")

#: Key, value and timestamp in milliseconds of one record.
LoggedRecord = tuple[bytes | None, bytes | None, int]
#: The same with headers and a partition of its own, which counts instead of the block's: so a topic keeps its order.
LoggedWholeRecord = tuple[bytes | None, bytes | None, int, Sequence[Header], int]
#: Topic, partition (-1: the partitioner decides) and records: all ``LoggedRecord``, or all ``LoggedWholeRecord``.
Block = tuple[str, int, list[Any]]


class SegmentFile:
    """A segment being written.

    Args:
        disk: where files live.
        path: of the new file.
        version: 2 for records with headers.
    """

    def __init__(self, disk: Disk, path: Path, version: int = 1) -> None:
        import msgspec

        self._encode = msgspec.msgpack.Encoder().encode
        self._disk = disk
        self._path = path
        self._version = version
        self._file: AppendFile = disk.create(path)
        self._file.write(_MAGIC[version])
        self._crc = 0
        self._topics: set[str] = set()
        self.count = 0
        self.size = _MAGIC_BYTES

    def append(self, block: Block) -> None:
        """Append records of one topic."""
        payload = self._encode(block)
        data = _LENGTH.pack(len(payload)) + payload
        self._crc = zlib.crc32(data, self._crc)
        self._topics.add(block[0])
        self.count += len(block[2])
        self.size += len(data)
        self._file.write(data)

    def finish(self, tid: str, lineage: str, seq: int, checkpoint_id: int, relative_path: str) -> Segment:
        """Write the trailer and make the content durable; its name is durable once the directory is."""
        trailer = _trailer(self._version, tid, lineage, seq, self.count, self._crc)
        self._file.write(trailer)
        failpoints.hit("P1")
        self._file.sync_and_close()
        return Segment(
            tid=tid,
            lineage=lineage,
            seq=seq,
            checkpoint_id=checkpoint_id,
            count=self.count,
            size=self.size + len(trailer),
            crc=self._crc,
            path=relative_path,
            topics=tuple(sorted(self._topics)),
        )

    def discard(self) -> None:
        """Remove the file."""
        self._file.close()
        self._disk.remove(self._path)


def _trailer(version: int, tid: str, lineage: str, seq: int, count: int, crc: int) -> bytes:
    fields: dict[str, str | int] = {"tid": tid, "lineage": lineage, "seq": seq, "count": count, "crc": crc}
    if version > 1:
        fields["version"] = version
    body = json.dumps(fields, sort_keys=True).encode()
    framed = _LENGTH.pack(len(body)) + body
    return framed + _LENGTH.pack(zlib.crc32(framed))


def read_segment(disk: Disk, job_directory: Path, segment: Segment) -> Iterator[Block]:
    """Return the blocks of a segment, verified as a whole before the first one.

    Raises:
        CheckpointCorruptError: the file is missing, or not what the checkpoint lists.
    """
    path = job_directory / segment.path
    try:
        content = disk.read(path)
    except FileNotFoundError:
        raise CheckpointCorruptError(
            f"{path} is missing: it holds {segment.count} records that were decided and not published yet. Restore "
            "the job directory."
        ) from None
    version = _version_of(content, path)
    trailer = _trailer(version, segment.tid, segment.lineage, segment.seq, segment.count, segment.crc)
    blocks = memoryview(content)[_MAGIC_BYTES : -len(trailer)]
    if (
        version not in _MAGIC
        or len(content) != segment.size
        or not content.endswith(trailer)
        or zlib.crc32(blocks) != segment.crc
    ):
        raise CheckpointCorruptError(
            f"{path} is damaged: it is not the segment with {segment.count} records and checksum {segment.crc:08x} "
            "that the checkpoint lists. Nothing of it was published; restore the job directory."
        )
    return _blocks(version, blocks)


def _version_of(content: bytes, path: Path) -> int:
    """Return the version that the magic tells, 0 where it is none of a log's."""
    magic = content[:_MAGIC_BYTES]
    version = next((version for version, known in _MAGIC.items() if known == magic), 0)
    if version == 0 and magic.startswith(_ANY_VERSION) and magic[-1:].isdigit():
        raise CheckpointError(
            f"{path} was written by a newer release of Wiesel (log format {magic[-1:].decode()}). Start the job with "
            "that release."
        )
    return version


def _blocks(version: int, content: memoryview) -> Iterator[Block]:
    import msgspec

    record: Any = tuple[bytes | None, bytes | None, int]
    if version > 1:
        record = tuple[bytes | None, bytes | None, int, list[tuple[str, bytes | None]], int]
    decoder: Any = msgspec.msgpack.Decoder(tuple[str, int, list[record]])
    position = 0
    while position < len(content):
        (length,) = _LENGTH.unpack_from(content, position)
        position += _LENGTH.size
        block: Block = decoder.decode(content[position : position + length])
        yield block
        position += length
