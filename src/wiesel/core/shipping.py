"""User functions as they are shipped: pickled when their operator is added, as PyFlink does.

So a closure is a copy from the moment ``map(...)`` is called, and what cannot be pickled fails there, with the name of
the variable.
"""

from __future__ import annotations

import logging
import pickle
import sys
from dataclasses import dataclass
from typing import Any

from wiesel.core.errors import ConfigurationError
from wiesel.core.functions import Function

_log = logging.getLogger("wiesel.core")


class UnpicklableError(ConfigurationError, TypeError):
    """A function of the job uses something that cannot be copied to where it runs."""


@dataclass(frozen=True, slots=True)
class ShippedFunction:
    """A pickled function (or function object) and the name to show for it."""

    payload: bytes
    name: str

    def load(self) -> Any:
        """Return a fresh copy of the function."""
        return pickle.loads(self.payload)


def ship(function: Any, name: str | None = None) -> ShippedFunction:
    """Pickle ``function`` by value where it belongs to the script, by reference where it can be imported.

    Raises:
        ConfigurationError: it is a class of functions instead of one of its instances.
        UnpicklableError: something it captures cannot be pickled; the text names the variable where it can be told.
    """
    import cloudpickle

    if isinstance(function, type) and issubclass(function, Function):
        raise ConfigurationError(f"{function.__name__} is a class. Pass an instance of it: {function.__name__}().")
    label = name or getattr(function, "__name__", None) or type(function).__name__
    try:
        return ShippedFunction(cloudpickle.dumps(function, protocol=5), label)
    except Exception as error:
        variable = _unpicklable_capture(function)
        where = f" (captured as {variable!r})" if variable else ""
        raise UnpicklableError(
            f"{error}{where}. {label!r} is copied when its operator is added, so everything it uses must be "
            f"picklable: create such objects in open() instead."
        ) from error


def ship_main_classes() -> bytes:
    """Return a pickle of the classes that the script itself defines, by name, but for those that cannot be pickled.

    State refers to a class by module and name. In another process ``__main__`` is another module, which must have them
    for state to be saved and restored.
    """
    import cloudpickle

    found = {}
    for name, value in vars(sys.modules["__main__"]).items():
        if isinstance(value, type) and value.__module__ == "__main__" and value.__qualname__ == name:
            try:
                cloudpickle.dumps(value, protocol=5)
            except Exception as error:
                _log.debug("Class %s of the script stays where it is: %s", name, error)
                continue
            found[name] = value
    data: bytes = cloudpickle.dumps(found, protocol=5)
    return data


def _unpicklable_capture(function: Any) -> str | None:
    import cloudpickle

    candidates: dict[str, Any] = {}
    code = getattr(function, "__code__", None)
    if code is not None:
        cells = getattr(function, "__closure__", None) or ()
        for name, cell in zip(code.co_freevars, cells, strict=False):
            try:
                candidates[name] = cell.cell_contents
            except ValueError:  # an empty cell holds nothing to pickle
                continue
        candidates.update({n: function.__globals__[n] for n in code.co_names if n in function.__globals__})
    candidates.update({f"self.{n}": v for n, v in getattr(function, "__dict__", {}).items()})
    for name, value in candidates.items():
        try:
            cloudpickle.dumps(value, protocol=5)
        except Exception:
            return name
    return None
