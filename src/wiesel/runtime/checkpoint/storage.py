"""The files of checkpoints in a job directory: state files, manifests, retention, and savepoints made of them.

``chk-n`` is complete when it holds ``_metadata``, which is renamed into place last: that rename, made durable, is the
decision that checkpoint n exists. A savepoint is a copy of it that needs no other directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from wiesel.core import failpoints
from wiesel.core.disk import AppendFile, Disk, write_durably
from wiesel.core.errors import CheckpointCorruptError, CheckpointError
from wiesel.runtime.checkpoint.manifest import WAYS_OUT, CheckpointManifest, SealKey, decode, encode
from wiesel.runtime.reports import OperatorSnapshot, StateFile

METADATA: Final = "_metadata"
_NAME: Final = re.compile(r"chk-(\d+)")
_LENGTH: Final = struct.Struct("<I")


class StateFileOutput:
    """A state file being written: pieces behind their lengths, hashed as they pass."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._path = path
        self._file: AppendFile = disk.create(path)
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Append one piece."""
        framed = _LENGTH.pack(len(piece)) + piece
        self._digest.update(framed)
        self._size += len(framed)
        self._file.write(framed)

    def keep(self, name: str, path: Path, known: StateFile | None) -> StateFile:
        """Keep a backend's file beside this one, under both names; it is read only if its digest is not known."""
        target = self._path.with_name(f"{self._path.name}.{name}")
        self._disk.adopt(path, target)
        if known is not None:
            return replace(known, name=target.name)
        content = self._disk.read(target)
        return StateFile(target.name, len(content), hashlib.sha256(content).hexdigest())

    def finish(self) -> StateFile:
        """Make the file durable; a failed fsync is final for it."""
        self._file.sync_and_close()
        return StateFile(self._path.name, self._size, self._digest.hexdigest())

    def discard(self) -> None:
        """Close the file; its directory is removed with its checkpoint."""
        self._file.close()


class CheckpointStorage:
    """Checkpoints of one job directory.

    Args:
        disk: where files live.
        directory: the job directory.
        key: seals manifests.
        trust: load checkpoints of other installations.
    """

    def __init__(self, disk: Disk, directory: Path, key: SealKey, *, trust: bool = False) -> None:
        self.directory = directory
        self._disk = disk
        self._key = key
        self._trust = trust

    def begin(self, checkpoint_id: int) -> None:
        """Make the directory of a checkpoint that is about to be taken."""
        path = self.path_of(checkpoint_id)
        self._disk.remove(path)
        self._disk.make_directory(path)

    def create_state_file(self, checkpoint_id: int, name: str) -> StateFileOutput:
        """Return a new state file of a checkpoint."""
        return StateFileOutput(self._disk, self.path_of(checkpoint_id) / name)

    @staticmethod
    def kept_files(checkpoint: Path, part: OperatorSnapshot) -> dict[str, Path]:
        """Return a backend's files of a part of a checkpoint, which is verified, by their names in the backend."""
        if part.keyed is None:
            return {}
        return {file.name.removeprefix(f"{part.keyed.name}."): checkpoint / file.name for file in part.keyed_files}

    def publish(self, manifest: CheckpointManifest) -> None:
        """Decide a checkpoint: when this returns it exists, whatever happens."""
        path = self.path_of(manifest.checkpoint_id)
        self._disk.sync_directory(path)  # the state files' names
        failpoints.hit("P2")
        write_durably(self._disk, path / METADATA, encode(manifest, self._key))

    def discard(self, checkpoint_id: int, *, durably: bool = False) -> None:
        """Remove a checkpoint that was given up; ``durably`` if what it lists is going to be removed, too."""
        self._disk.remove(self.path_of(checkpoint_id))
        if durably:
            self._disk.sync_directory(self.directory)

    def completed(self) -> list[int]:
        """Return the numbers of complete checkpoints, ascending."""
        return [n for n in self.all_ids() if self._disk.exists(self.path_of(n) / METADATA)]

    def all_ids(self) -> list[int]:
        """Return the numbers of all checkpoint directories, complete or not, ascending."""
        found = (_NAME.fullmatch(name) for name in self._disk.list(self.directory))
        return sorted(int(match[1]) for match in found if match)

    def listed_segments(self) -> set[str]:
        """Return the paths of pending output that complete checkpoints list; one that cannot be read lists nothing."""
        listed: set[str] = set()
        for checkpoint_id in self.completed():
            with contextlib.suppress(CheckpointError):
                pending = self.load_metadata(self.path_of(checkpoint_id)).pending
                listed |= {item.path for item in pending if item.path is not None}
        return listed

    def remove_segments(self, paths: Iterable[str]) -> None:
        """Remove WAL segments, relative to the job directory, that no retained checkpoint lists any more."""
        for path in paths:
            failpoints.hit("P10")
            self._disk.remove(self.directory / path)

    def adopt_segments(self, checkpoint: Path, manifest: CheckpointManifest) -> None:
        """Copy the files of pending output that a checkpoint lists from where it lies into our job directory.

        A savepoint has them all in itself. A checkpoint's lie in its job directory, and those that are no more there
        are left out: they were removed after they had been published.
        """
        if manifest.files is not None:
            segments = {file.name: checkpoint / file.name for file in manifest.files}
        else:
            paths = [item.path for item in manifest.pending if item.path is not None]
            segments = {path: checkpoint.parent / path for path in paths}
        for path, theirs in segments.items():
            ours = self.directory / path
            if not self._disk.exists(ours) and self._disk.exists(theirs):
                self._disk.make_directory(ours.parent)
                write_durably(self._disk, ours, self._disk.read(theirs))

    def write_savepoint(self, manifest: CheckpointManifest, target: Path) -> None:
        """Copy one of our checkpoints and the output that ``manifest`` still lists as pending into a new directory.

        Every file is verified on the way. The savepoint exists once its manifest does; what an error leaves is removed.

        Args:
            manifest: the checkpoint; it may list less output as pending than when it was decided.
            target: the savepoint's directory.
        """
        checkpoint = self.path_of(manifest.checkpoint_id)
        segments = [item.path for item in manifest.pending if item.path is not None]
        try:
            self._disk.make_directory(target)
            for file in replace(manifest, files=None).all_files():
                self._copy(self._read_verified(checkpoint, file), target, file.name)
            files = [self._copy(self._disk.read(self.directory / path), target, path) for path in segments]
            for directory in {(target / file.name).parent for file in files}:
                self._disk.sync_directory(directory)
            self._disk.sync_directory(target)
            write_durably(self._disk, target / METADATA, encode(replace(manifest, files=files), self._key))
        except BaseException:
            self._disk.remove(target)
            raise

    def _copy(self, content: bytes, target: Path, name: str) -> StateFile:
        path = target / name
        self._disk.make_directory(path.parent)
        file = self._disk.create(path)
        try:
            file.write(content)
            file.sync_and_close()
        except BaseException:
            file.close()
            raise
        return StateFile(name, len(content), hashlib.sha256(content).hexdigest())

    def path_of(self, checkpoint_id: int) -> Path:
        """Return the directory of a checkpoint."""
        return self.directory / f"chk-{checkpoint_id}"

    def load(self, path: Path) -> CheckpointManifest:
        """Return the manifest of the checkpoint in ``path`` after verifying it and every file it names.

        Raises:
            CheckpointError: there is none.
            CheckpointCorruptError: a file is missing or was changed; the text names it.
        """
        manifest = self.load_metadata(path)
        for file in manifest.all_files():
            self._read_verified(path, file)
        return manifest

    def load_metadata(self, path: Path) -> CheckpointManifest:
        """Return the manifest of a checkpoint or savepoint, itself verified but not yet the files it names."""
        metadata = path / METADATA
        if not self._disk.exists(metadata):
            raise CheckpointError(
                f"{path} holds no complete checkpoint: {METADATA} is missing. Pass the path of a chk-… or savepoint-… "
                f"directory."
            )
        manifest = decode(self._read(metadata), self._key, where=str(metadata), trust=self._trust)
        named = _NAME.fullmatch(path.name)
        if named is not None and int(named[1]) != manifest.checkpoint_id:
            raise CheckpointCorruptError(
                f"{metadata} is that of checkpoint {manifest.checkpoint_id}: files were swapped. {WAYS_OUT}"
            )
        return manifest

    def pieces(self, checkpoint: Path, file: StateFile) -> Iterator[bytes]:
        """Return the pieces of a state file, verified as a whole before the first one."""
        content = memoryview(self._read_verified(checkpoint, file))
        position = 0
        while position < len(content):
            (length,) = _LENGTH.unpack_from(content, position)
            position += _LENGTH.size
            yield bytes(content[position : position + length])
            position += length

    def _read_verified(self, checkpoint: Path, file: StateFile) -> bytes:
        path = checkpoint / file.name
        content = self._read(path)
        if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
            raise CheckpointCorruptError(f"{path} is damaged: it does not match its checksum. {WAYS_OUT}")
        return content

    def _read(self, path: Path) -> bytes:
        try:
            return self._disk.read(path)
        except FileNotFoundError:
            raise CheckpointCorruptError(f"{path} is missing. {WAYS_OUT}") from None
        except OSError as error:  # a bad disk, or a link, which is not followed
            raise CheckpointCorruptError(f"{path} cannot be read: {error.strerror or error}. {WAYS_OUT}") from error
