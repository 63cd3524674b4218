"""How the records of a file are read: the contract between formats and the file source, and the plainest format.

Mirrors Flink's ``StreamFormat`` (records from a stream of bytes) and ``BulkFormat`` (many records at a time); both come
down to the same here. A script may write a format of its own by subclassing ``StreamFormat``.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from wiesel.core.contracts import Json
from wiesel.core.errors import UnsupportedError
from wiesel.core.types import TypeInformation, Types

__all__ = ["BulkFormat", "CountingReader", "FileRecords", "StreamFormat", "open_decompressed"]


class FileRecords(ABC):
    """Reads one open file from a position on."""

    @abstractmethod
    def read(self, max_records: int) -> list[Any]:
        """Return the next records, at most about ``max_records``; none at all at the end of the file."""

    @abstractmethod
    def position(self) -> Json:
        """Return the position behind the last record returned, as ``open_file`` takes it."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""


class FileFormat(ABC):
    """Opens files."""

    def produced_type(self) -> TypeInformation:
        """Return the type of the records (Java: ``getProducedType``)."""
        return Types.PICKLED_BYTE_ARRAY()

    def open_file(self, path: Path, position: Json | None) -> FileRecords:
        """Open a file.

        Args:
            path: the file.
            position: where a checkpoint stopped reading; None for the beginning.
        """
        raise UnsupportedError(f"{type(self).__name__} has no open_file()")


class StreamFormat(FileFormat):
    """A format that is read record by record (Flink: ``StreamFormat``)."""

    @staticmethod
    def text_line_format(charset_name: str = "UTF-8") -> StreamFormat:
        """Return the format of text files, a record a line; lines end as in Java: ``\\n``, ``\\r\\n`` or ``\\r``."""
        return TextLineFormat(charset_name)


class BulkFormat(FileFormat):
    """A format that is read many records at a time (Flink: ``BulkFormat``)."""


_DECOMPRESSORS: Final[dict[str, Callable[[Path], Any]]] = {
    ".gz": gzip.open,
    ".gzip": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}


def open_decompressed(path: Path) -> BinaryIO:
    """Open a file for reading; one called ``.gz``, ``.bz2`` or ``.xz`` is decompressed, as Flink does."""
    stream: BinaryIO = _DECOMPRESSORS.get(path.suffix.lower(), _open_plain)(path)
    return stream


def _open_plain(path: Path) -> BinaryIO:
    return path.open("rb")


class CountingReader(FileRecords):
    """Reads any iterator of records; its position is how many were read, so going on means reading them again.

    Args:
        records: the records from the beginning of the file.
        close: closes the file.
        position: how many to leave out.
    """

    def __init__(self, records: Iterator[Any], close: Callable[[], object], position: Json | None) -> None:
        self._count: int = position or 0
        self._records = islice(records, self._count, None)
        self._close = close

    def read(self, max_records: int) -> list[Any]:
        """See the base class."""
        records = list(islice(self._records, max_records))
        self._count += len(records)
        return records

    def position(self) -> Json:
        """See the base class."""
        return self._count

    def close(self) -> None:
        """See the base class."""
        self._close()


class TextLineFormat(StreamFormat):
    """Text files, a record a line.

    Args:
        charset: a name that Java and Python both know; malformed bytes become U+FFFD.
    """

    def __init__(self, charset: str) -> None:
        self._charset = codecs.lookup(charset).name

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return Types.STRING()

    def open_file(self, path: Path, position: Json | None) -> FileRecords:
        """See the base class."""
        stream = open_decompressed(path)
        if "\r\n".encode(self._charset) == b"\r\n":
            return _ByteLines(stream, self._charset, position)
        # A newline is more than one byte (UTF-16): the lines are counted, not the bytes.
        text = io.TextIOWrapper(stream, self._charset, "replace", newline=None)
        return CountingReader((line.removesuffix("\n") for line in text), text.close, position)


class _ByteLines(FileRecords):
    """Lines of a charset that is ASCII below 128; the position is a byte offset."""

    def __init__(self, stream: BinaryIO, charset: str, position: Json | None) -> None:
        self._stream = stream
        self._charset = charset
        self._offset: int = position or 0
        stream.seek(self._offset)

    def read(self, max_records: int) -> list[Any]:
        records: list[str] = []
        charset = self._charset
        for line in islice(self._stream, max_records):
            self._offset += len(line)
            text = line.removesuffix(b"\n").removesuffix(b"\r")
            if b"\r" in text:
                records.extend(part.decode(charset, "replace") for part in text.split(b"\r"))
            else:
                records.append(text.decode(charset, "replace"))
        return records

    def position(self) -> Json:
        return self._offset

    def close(self) -> None:
        self._stream.close()
