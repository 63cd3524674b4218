"""A failure as scripts for PyFlink look at it: ``error.java_exception`` of a caught ``Py4JJavaError``."""

from __future__ import annotations


class JavaException:
    """A Python exception behind the methods of Java's ``Throwable`` that scripts call.

    Args:
        error: the exception.
    """

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def getMessage(self) -> str:  # noqa: N802  Java's spelling
        """Return the text."""
        return str(self._error)

    getLocalizedMessage = getMessage  # noqa: N815

    def getCause(self) -> JavaException | None:  # noqa: N802
        """Return what it was raised from, or None."""
        return None if self._error.__cause__ is None else JavaException(self._error.__cause__)

    def toString(self) -> str:  # noqa: N802
        """Return class and text."""
        return f"{type(self._error).__name__}: {self._error}"

    __str__ = toString
