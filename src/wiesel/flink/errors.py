"""Errors of the way to a real Flink. Every message ends with what the reader can do about it."""

from wiesel.core.errors import ConfigurationError, ConnectionFailedError, WieselError


class FlinkError(WieselError):
    """The real Flink, or the environment that speaks to it, cannot be made or started."""


class FlinkConfigurationError(FlinkError, ConfigurationError):
    """An option, port or directory that a real Flink cannot be used with."""


class FlinkUnreachableError(FlinkError, ConnectionFailedError):
    """No Flink answers where one was said to be, or one that the script cannot run on."""
