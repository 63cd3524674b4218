"""A RocksDB database of one backend: raw bytes in and out, ranges whose end is the end, copies by hard links.

``rocksdict``'s defaults would unpickle what they read, and its iterators end without a word at a damaged block: here
it is opened in raw mode, and each range ends with a look at the iterator's status. There is no write-ahead log: what a
checkpoint does not hold is computed again, so a database that is found at a start is only in the way.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wiesel.core.errors import CheckpointCorruptError, CheckpointError, ConfigurationError
from wiesel.core.options import catalog

_log = logging.getLogger("wiesel.state")
#: Files of these names never change once they are written; the others are rewritten or appended to.
IMMUTABLE_SUFFIX: Final = ".sst"
_BATCH: Final = 2000


class Database:
    """An open database.

    Args:
        directory: where it lives; made, or opened if it holds a database.
        memory: bytes for blocks read from disk.
        write_buffer: bytes of new entries that are gathered in memory before they are written out.

    Raises:
        ConfigurationError: RocksDB is not installed.
    """

    def __init__(self, directory: Path, memory: int, write_buffer: int) -> None:
        try:
            import rocksdict
        except ImportError as error:
            raise ConfigurationError(
                "state.backend.type: rocksdb needs RocksDB: pip install 'wiesel[rocksdb]'."
            ) from error
        self.directory = directory
        self._rocksdict: Any = rocksdict
        self._write_options = self._rocksdict.WriteOptions()
        self._write_options.disable_wal = True
        self._db: Any = rocksdict.Rdict(str(directory), self._options(memory, write_buffer))

    def _options(self, memory: int, write_buffer: int) -> Any:
        blocks = self._rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self._rocksdict.Cache(memory))
        blocks.set_bloom_filter(10, block_based=False)
        blocks.set_cache_index_and_filter_blocks(True)  # else they grow with the state, outside of any limit
        # In parts, of which the cache holds those in use: a whole index or filter is as large as many blocks together,
        # and was read anew for nearly each access (1 MB an access with a gigabyte of state, now 3 to 9 kB).
        blocks.set_index_type(self._rocksdict.BlockBasedIndexType.two_level_index_search())
        blocks.set_partition_filters(True)
        blocks.set_pin_top_level_index_and_filter(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        options = self._rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_size(write_buffer)
        options.set_max_open_files(512)
        options.set_block_based_table_factory(blocks)
        return options

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or None."""
        value: bytes | None = self._db.get(key)
        return value

    def write(self, changes: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Set entries, and remove those whose value is None, at once.

        Raises:
            CheckpointError: the disk takes nothing more.
        """
        batch = self._rocksdict.WriteBatch(raw_mode=True)
        for key, value in changes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        try:
            self._db.write(batch, self._write_options)
        except Exception as error:
            raise self._not_written(error) from error

    def _not_written(self, error: Exception) -> CheckpointError:
        return CheckpointError(
            f"State on disk could not be written: {error}. Make room there, or set "
            f"{catalog.ROCKSDB_DIRECTORY.key} to another place; the job goes on from its last checkpoint."
        )

    def entries(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key begins with ``prefix``, in order, from ``start`` on.

        Raises:
            CheckpointCorruptError: the database cannot be read on.
        """
        found = self._db.iter()
        found.seek(max(prefix, start))
        while found.valid():
            key = found.key()
            if not key.startswith(prefix):
                return
            yield key, found.value()
            found.next()
        try:
            found.status()
        except Exception as error:
            raise CheckpointCorruptError(f"{self.directory} cannot be read: {error}") from error

    def number_of_keys(self) -> int:
        """Return about how many entries there are."""
        return int(self._db.property_value("rocksdb.estimate-num-keys") or 0)

    def copy_by_links(self, target: Path) -> list[Path]:
        """Write everything out and return the files of a database that holds what is there now.

        Files that do not change are links to this one's.
        """
        checkpoint = self._rocksdict.Checkpoint(self._db)
        try:
            checkpoint.create_checkpoint(str(target))
        except Exception as error:
            raise self._not_written(error) from error
        finally:
            del checkpoint  # it would keep the database locked after ``close``
        return sorted(path for path in target.iterdir() if not path.name.endswith(".log"))

    def close(self) -> None:
        """Close the database and remove its directory."""
        try:
            self._db.close()
        except Exception as error:  # what it could not write out is of no use to anybody
            _log.debug("Closing %s: %s", self.directory, error)
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


def put_together(files: Mapping[str, Path], directory: Path) -> None:
    """Make ``directory`` a database of the files of a checkpoint, which stay as they are.

    Args:
        files: by the name that each has in the database.
        directory: where; must not exist.
    """
    directory.mkdir(parents=True)
    for name, path in files.items():
        target = directory / name
        if name.endswith(IMMUTABLE_SUFFIX):
            link_or_copy(path, target)
        else:
            shutil.copyfile(path, target)


def link_or_copy(path: Path, target: Path) -> None:
    """Make ``target`` the same file as ``path``, or a copy of it on another filesystem."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def in_batches(changes: Iterable[tuple[bytes, bytes | None]]) -> Iterator[Sequence[tuple[bytes, bytes | None]]]:
    """Yield the changes in batches that fit into memory."""
    batch: list[tuple[bytes, bytes | None]] = []
    for change in changes:
        batch.append(change)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
