"""``Configuration`` (mirrors ``pyflink.common.configuration``)."""

from wiesel.core.configuration import Configuration

__all__ = ["Configuration"]
