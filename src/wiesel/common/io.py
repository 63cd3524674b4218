"""``InputFormat`` (mirrors ``pyflink.common.io``)."""

from __future__ import annotations

from typing import Any

from wiesel.core.errors import UnsupportedError

__all__ = ["InputFormat"]


class InputFormat:
    """The base of formats that read files; PyFlink's wraps a Java object."""

    def get_java_object(self) -> Any:
        """Raise: there is no Java object behind it here."""
        raise UnsupportedError("There is no Java here; pass the format itself.")
