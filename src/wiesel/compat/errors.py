"""What the import alias raises when a name is used that Wiesel knows but cannot serve."""

from __future__ import annotations

from typing import ClassVar


class UnsupportedNameError(NotImplementedError):
    """A name of PyFlink's that Wiesel does not have was used; the text says why and what to use instead.

    It is no ``wiesel.core.errors.WieselError``, because the rooms ``compat`` and ``core`` do not know each other.
    """

    #: The same command will fail again: wrong usage, as documented in docs/exit-codes.md.
    exit_code: ClassVar[int] = 2
