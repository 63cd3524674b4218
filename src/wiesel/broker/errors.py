"""Errors of the local broker. Every message ends with what the reader can do about it."""

from wiesel.core.errors import ConfigurationError, WieselError


class BrokerError(WieselError):
    """The local broker cannot be started or stopped."""


class BrokerConfigurationError(BrokerError, ConfigurationError):
    """A property, port or directory that the local broker cannot be started with."""
