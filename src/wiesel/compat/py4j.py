"""``py4j.protocol`` as scripts for PyFlink import it: the error classes by which they catch a failed job.

PyFlink reports what user code raised as ``Py4JJavaError``, so scripts name that class. While the alias is active it is
``JobExecutionError``, which ``execute()`` raises here; nothing else of py4j is there, as there is no JVM to talk to.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

#: py4j's name → where our class is. The base classes of py4j's error are wider, as ours are.
_ERRORS: Final = {
    "Py4JJavaError": ("wiesel.core.errors", "JobExecutionError"),
    "Py4JError": ("wiesel.core.errors", "WieselError"),
    "Py4JNetworkError": ("wiesel.core.errors", "ConnectionFailedError"),
}
_MODULES: Final = ("py4j", "py4j.protocol")


class _Py4JFinder:
    """Finds and loads the two modules; see ``alias._Alias`` for why it has no base class."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in _MODULES:
            return ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]
        if fullname.startswith("py4j."):
            raise ImportError(f"'{fullname}' talks to a JVM, and there is none behind Wiesel: leave it out.")
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "py4j.protocol":
            module.__dict__["__getattr__"] = _error_class


def _error_class(name: str) -> Any:
    if name in _ERRORS:
        home, ours = _ERRORS[name]
        return getattr(import_module(home), ours)
    raise AttributeError(
        f"py4j.protocol has no '{name}' here: there is no JVM behind Wiesel, only its errors {sorted(_ERRORS)}."
    )


py4j_finder: Final = _Py4JFinder()
