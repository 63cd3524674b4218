"""Errors of the java room. Every message ends with what the reader can do about it."""

from wiesel.core.errors import WieselError


class JavaError(WieselError):
    """The Java side of a tool (local broker, real Flink) cannot be prepared."""


class JavaNotFoundError(JavaError):
    """No suitable Java runtime on this machine."""


class JarError(JavaError):
    """A pinned jar cannot be had, or is not what the lock file says."""
