"""Write-ahead log segments: immutable files with the output of one sink subtask, verified before they are published.

A file is a magic, blocks and a trailer. A block holds records of one topic, in order; records of different topics may
change places, records of one topic never do. The trailer says what the file is and how much is in it, so that a file
that was cut short, or put in another's place, is found.

    magic (8 bytes) | block … | trailer length (4) | trailer (JSON) | CRC-32 of length and trailer (4)
    block: length of the payload (4) | payload: msgpack [topic, partition, [[key, value, timestamp], …]]
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from wiesel.connectors.kafka.committer import Segment
from wiesel.core import failpoints
from wiesel.core.disk import AppendFile, Disk
from wiesel.core.errors import CheckpointCorruptError

_MAGIC: Final = b"WIESELW1"
_LENGTH: Final = struct.Struct("<I")

#: Key, value and timestamp in milliseconds of one record.
LoggedRecord = tuple[bytes | None, bytes | None, int]
#: Topic, partition (-1: the partitioner decides) and records.
Block = tuple[str, int, list[LoggedRecord]]


class SegmentFile:
    """A segment being written.

    Args:
        disk: where files live.
        path: of the new file.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        import msgspec

        self._encode = msgspec.msgpack.Encoder().encode
        self._disk = disk
        self._path = path
        self._file: AppendFile = disk.create(path)
        self._file.write(_MAGIC)
        self._crc = 0
        self._topics: set[str] = set()
        self.count = 0
        self.size = len(_MAGIC)

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
        trailer = _trailer(tid, lineage, seq, self.count, self._crc)
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


def _trailer(tid: str, lineage: str, seq: int, count: int, crc: int) -> bytes:
    fields = {"tid": tid, "lineage": lineage, "seq": seq, "count": count, "crc": crc}
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
    trailer = _trailer(segment.tid, segment.lineage, segment.seq, segment.count, segment.crc)
    blocks = memoryview(content)[len(_MAGIC) : -len(trailer)]
    if (
        len(content) != segment.size
        or not content.startswith(_MAGIC)
        or not content.endswith(trailer)
        or zlib.crc32(blocks) != segment.crc
    ):
        raise CheckpointCorruptError(
            f"{path} is damaged: it is not the segment with {segment.count} records and checksum {segment.crc:08x} "
            "that the checkpoint lists. Nothing of it was published; restore the job directory."
        )
    return _blocks(blocks)


def _blocks(content: memoryview) -> Iterator[Block]:
    import msgspec

    decoder: Any = msgspec.msgpack.Decoder(tuple[str, int, list[tuple[bytes | None, bytes | None, int]]])
    position = 0
    while position < len(content):
        (length,) = _LENGTH.unpack_from(content, position)
        position += _LENGTH.size
        block: Block = decoder.decode(content[position : position + length])
        yield block
        position += length
