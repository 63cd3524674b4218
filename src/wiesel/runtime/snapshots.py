"""A task's part of one checkpoint: non-keyed state at once, keyed state in slices between batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from wiesel.runtime.reports import OperatorSnapshot, StateFile


class StateFileWriter(Protocol):
    """A state file being written; ``write`` appends to the page cache, ``finish`` waits for the disk."""

    def write(self, piece: bytes) -> None:
        """Append one piece."""

    def finish(self) -> StateFile:
        """Make the file durable and return its handle; runs on an I/O thread."""

    def discard(self) -> None:
        """Give the file up."""


#: Runs a callable on an I/O thread and hands its result, or its error, to the second argument on the task thread.
Background = Callable[[Callable[[], StateFile], Callable[["StateFile | BaseException"], None]], None]


class TaskSnapshot:
    """One checkpoint of one task while it is being written.

    Args:
        checkpoint_id: which checkpoint.
        operators: non-keyed parts by uid, already durable.
        keyed: the keyed operator's uid, its slices and the file they go to; None without keyed state.
    """

    def __init__(
        self,
        checkpoint_id: int,
        operators: Mapping[str, OperatorSnapshot],
        keyed: tuple[str, Iterator[bytes], StateFileWriter] | None,
    ) -> None:
        self.checkpoint_id = checkpoint_id
        self.operators = dict(operators)
        self._keyed = keyed

    def write_slice(self) -> bool:
        """Write one slice; return whether all are written."""
        if self._keyed is None:
            return True
        _, slices, file = self._keyed
        piece = next(slices, None)
        if piece is None:
            return True
        file.write(piece)
        return False

    def finish(self, background: Background, done: Callable[[BaseException | None], None]) -> None:
        """Make the keyed file durable in the background, then call ``done`` with the error, if any."""
        if self._keyed is None:
            done(None)
            return
        uid, _, file = self._keyed

        def finished(result: StateFile | BaseException) -> None:
            if isinstance(result, BaseException):
                done(result)
                return
            part = self.operators[uid]
            self.operators[uid] = OperatorSnapshot(part.state, result, part.splits, part.committables)
            done(None)

        background(file.finish, finished)

    def abort(self) -> None:
        """Give the checkpoint up."""
        if self._keyed is not None:
            self._keyed[2].discard()
