"""Every error that Wiesel raises on purpose: what happened, whether a restart can help, and the exit code.

``retriable`` decides what a restart strategy may do: configuration, authorisation, a corrupt checkpoint, lost
progress, a lost lease and being fenced by another job are never retried, because a retry cannot mend them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from wiesel.core.java_exception import JavaException


class WieselError(Exception):
    """Base of all errors of Wiesel's own; the text always says what to do next.

    ``traceback_text`` is the traceback to show when the error comes from another process, else None.
    """

    exit_code: ClassVar[int] = 1
    retriable: ClassVar[bool] = False
    traceback_text: str | None = None


class ConfigurationError(WieselError, ValueError):
    """A wrong option, a missing setting or a job that cannot be built as written; found before the job starts."""

    exit_code: ClassVar[int] = 2


class UnsupportedError(WieselError, NotImplementedError):
    """A name that Wiesel knows but cannot serve; says why and what to use instead."""

    exit_code: ClassVar[int] = 2


class TypeMismatchError(WieselError, TypeError):
    """A value does not fit the type declared for it (Flink: failure at a serialisation boundary)."""


class ConnectionFailedError(WieselError):
    """A broker or another outside system could not be reached."""

    exit_code: ClassVar[int] = 3
    retriable: ClassVar[bool] = True


class AuthorizationError(WieselError):
    """The outside system refused our credentials or rights."""

    exit_code: ClassVar[int] = 3


class MissingTopicError(WieselError):
    """A topic that the job reads or writes does not exist."""

    exit_code: ClassVar[int] = 3


class RecordError(WieselError):
    """A record that cannot be decoded, encoded or accepted; says where it came from or was going to."""

    retriable: ClassVar[bool] = True


class StateAccessError(WieselError):
    """State or timers used where Flink does not allow them."""


class CheckpointError(WieselError):
    """A checkpoint could not be written, completed or restored."""

    exit_code: ClassVar[int] = 4
    retriable: ClassVar[bool] = True


class CheckpointCorruptError(CheckpointError):
    """A checkpoint file is missing, shortened or changed; never ignored, never replaced by an older one."""

    retriable: ClassVar[bool] = False


class CheckpointForeignError(CheckpointError):
    """A checkpoint of another installation, format version or job that must not be read unasked."""

    retriable: ClassVar[bool] = False


class JobDirectoryLostError(CheckpointError):
    """The job directory was unmounted, moved, removed or replaced under the running job."""

    retriable: ClassVar[bool] = False


class RestoreRefusedError(CheckpointError):
    """The start that was asked for would lose or repeat something silently; the text names the ways out."""

    retriable: ClassVar[bool] = False


class LeaseLostError(WieselError):
    """Another incarnation of this job is alive and owns the job directory; ``owner`` is its pid, if known."""

    exit_code: ClassVar[int] = 5
    owner: int | None = None


class WorkerLostError(WieselError):
    """A worker process ended without being told to."""

    retriable: ClassVar[bool] = True


class FencedError(WieselError):
    """Another job or a newer start of this one owns the transactional ids; this one must stop."""

    exit_code: ClassVar[int] = 5


class ProgressLostError(WieselError):
    """The progress topic and the checkpoint contradict each other: one of them was rolled back or wiped."""

    exit_code: ClassVar[int] = 4


class JobExecutionError(WieselError):
    """A job failed; ``__cause__`` is the original exception (Flink: ``JobExecutionException``).

    Args:
        message: the one line that names operator, subtask, record and place.
        operator: name of the operator in whose code it happened, if known.
        subtask: index of the parallel instance, from 0.
        record: the record as text, cut short, if known.
        location: topic, partition and offset when the record came from Kafka.
    """

    def __init__(
        self,
        message: str,
        *,
        operator: str | None = None,
        subtask: int | None = None,
        record: str | None = None,
        location: str | None = None,
    ) -> None:
        super().__init__(message)
        self.operator = operator
        self.subtask = subtask
        self.record = record
        self.location = location

    @property
    def java_exception(self) -> JavaException:
        """The failure with the methods of Java's exceptions, for scripts that catch PyFlink's ``Py4JJavaError``."""
        from wiesel.core.java_exception import JavaException

        return JavaException(self)


class JobCanceledError(WieselError):
    """The job was cancelled from outside (Flink: ``JobCancellationException``)."""

    exit_code: ClassVar[int] = 6


def is_retriable(error: BaseException) -> bool:
    """Whether a restart strategy may try again after ``error``; user exceptions always may."""
    if isinstance(error, JobExecutionError) and error.__cause__ is not None:
        return is_retriable(error.__cause__)
    if isinstance(error, WieselError):
        return error.retriable
    return isinstance(error, Exception)


def exit_code_of(error: BaseException) -> int:
    """Process exit code for a job that ended with ``error``; the cause of a job failure decides when it is ours."""
    if isinstance(error, JobExecutionError) and isinstance(error.__cause__, WieselError):
        return exit_code_of(error.__cause__)
    return error.exit_code if isinstance(error, WieselError) else 1
