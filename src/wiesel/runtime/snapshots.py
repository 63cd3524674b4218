"""A task's part of one checkpoint: non-keyed state at once, keyed state in slices between batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from wiesel.core.contracts import StateSnapshot
from wiesel.runtime.reports import OperatorSnapshot, StateFile


class StateFileWriter(Protocol):
    """A state file being written; ``write`` appends to the page cache, ``finish`` waits for the disk."""

    def write(self, piece: bytes) -> None:
        """Append one piece."""

    def keep(self, name: str, path: Path, known: StateFile | None) -> StateFile:
        """Keep a file of the state backend's beside it; runs on an I/O thread."""

    def finish(self) -> StateFile:
        """Make the file durable and return its handle; runs on an I/O thread."""

    def discard(self) -> None:
        """Give the file up."""


#: Runs a callable on an I/O thread and hands its result, or its error, to the second argument on the task thread.
Background = Callable[[Callable[[], Any], Callable[[Any], None]], None]


@dataclass(frozen=True, slots=True)
class KeyedPart:
    """The keyed operator's part of a snapshot.

    Args:
        uid: the operator.
        state: its state as of the barrier.
        slices: the pieces of it.
        create_file: creates the file for them.
    """

    uid: str
    state: StateSnapshot
    slices: Iterator[bytes]
    create_file: Callable[[], StateFileWriter]


class TaskSnapshot:
    """One checkpoint of one task while it is being written.

    Args:
        checkpoint_id: which checkpoint.
        operators: non-keyed parts by uid, already durable.
        keyed: the keyed operator's part, if there is one and it is kept.
    """

    def __init__(
        self, checkpoint_id: int, operators: Mapping[str, OperatorSnapshot], keyed: KeyedPart | None = None
    ) -> None:
        self.checkpoint_id = checkpoint_id
        self.operators = dict(operators)
        self._keyed = keyed
        self._file: StateFileWriter | None = None
        self._gathering = False

    def take_over(self, earlier: TaskSnapshot) -> None:
        """Take what sinks made durable for a snapshot that will not be reported, before what is here."""
        for uid, part in earlier.operators.items():
            if part.committables:
                own = self.operators[uid]
                self.operators[uid] = replace(own, committables=[*part.committables, *own.committables])

    def write_slice(self) -> bool:
        """Write one slice; return whether all are written."""
        keyed = self._keyed
        if keyed is None:
            return True
        if self._file is None:
            self._file = keyed.create_file()
        piece = next(keyed.slices, None)
        if piece is None:
            return True
        self._file.write(piece)
        return False

    def finish(self, background: Background, done: Callable[[BaseException | None], None]) -> None:
        """Make the keyed file durable in the background, then call ``done`` with the error, if any."""
        keyed = self._keyed
        file, self._file = self._file, None  # from here on it is the I/O thread's
        if keyed is None or file is None:
            done(None)
            return

        def gather() -> tuple[StateFile, Sequence[StateFile]]:
            files = keyed.state.files(file.keep)
            return file.finish(), files

        def finished(result: tuple[StateFile, Sequence[StateFile]] | BaseException) -> None:
            keyed.state.release()
            if isinstance(result, BaseException):
                done(result)
                return
            state, files = result
            self.operators[keyed.uid] = replace(self.operators[keyed.uid], keyed=state, keyed_files=files)
            done(None)

        self._gathering = True
        background(gather, finished)

    def abort(self) -> None:
        """Give the file up, unless it is being finished already."""
        keyed, self._keyed = self._keyed, None
        file, self._file = self._file, None
        if file is not None:
            file.discard()
        if keyed is not None and not self._gathering:
            keyed.state.release()
