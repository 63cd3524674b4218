"""The import alias: while it is active, ``import pyflink.X`` answers with Wiesel.

Each module of PyFlink's is a *facade*: an ordinary module object of its own whose names are looked up in ``wiesel.X``
on first use. So classes are the very same objects under both paths, and the index of PyFlink's names decides what is
visible: names of ours beyond PyFlink's exist under ``wiesel`` only, because a script that says ``pyflink`` promises to
run on Flink. (Putting the ``wiesel`` modules themselves under the second name could not tell the two apart.)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from wiesel.compat import names
from wiesel.compat.old_spellings import OLD_SPELLINGS
from wiesel.compat.py4j import py4j_finder

_ROOT = "pyflink"
_OURS = "wiesel"


class _Alias:
    """Finds and loads the facades; it stands first on the meta path, so an installed PyFlink is never asked.

    It has the methods of ``MetaPathFinder`` and ``Loader`` without their base classes, whose module alone would take a
    tenth of the time that a small job may take from start to exit.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ROOT and not fullname.startswith(f"{_ROOT}."):
            return None
        module = fullname[len(_ROOT) + 1 :]
        if names.is_module(module):
            # Every facade is a package: `from facade import unknown` then asks this finder, whose error is clear,
            # where Python's own says no more than "cannot import name".
            # typeshed asks loaders for load_module, which Python has deprecated.
            return ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]
        parent, _, name = module.rpartition(".")
        # Not ModuleNotFoundError with this name: the import system would replace our text by its own.
        raise ImportError(_unknown_name(parent, name))

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        _fill(module, module.__name__[len(_ROOT) + 1 :])


# The facades of an installed PyFlink that was imported before; put back by deactivate().
_displaced: dict[str, ModuleType] = {}
_alias = _Alias()


def activate() -> None:
    """Let ``pyflink`` mean Wiesel in this process from now on; calling it again changes nothing.

    An installed PyFlink is left alone on disk and out of use; one INFO line says so.
    """
    if is_active():
        return
    _displaced.update(_remove_pyflink_modules())
    sys.meta_path[:0] = [_alias, py4j_finder]
    _log_installed_pyflink()


def deactivate() -> None:
    """Take the alias away again and give back the modules of an installed PyFlink; for tests."""
    if not is_active():
        return
    sys.meta_path.remove(_alias)
    sys.meta_path.remove(py4j_finder)
    _remove_pyflink_modules()
    sys.modules.update(_displaced)
    _displaced.clear()


def is_active() -> bool:
    """Whether ``import pyflink`` answers with Wiesel."""
    return _alias in sys.meta_path


def _remove_pyflink_modules() -> dict[str, ModuleType]:
    loaded = [name for name in sys.modules if name.partition(".")[0] in (_ROOT, "py4j")]
    return {name: sys.modules.pop(name) for name in loaded}


def _log_installed_pyflink() -> None:
    import logging

    logger = logging.getLogger(__name__)
    if _ROOT in _displaced:
        logger.warning(
            "PyFlink was imported before Wiesel took over; objects made from it earlier do not work with Wiesel's. "
            "Activate Wiesel first."
        )
    if logger.isEnabledFor(logging.INFO):
        installed = PathFinder.find_spec(_ROOT)
        if installed is not None:
            logger.info("PyFlink is installed too (%s); in this process 'pyflink' means Wiesel", installed.origin)


def _fill(facade: ModuleType, module: str) -> None:
    """Give a new facade its behaviour; the names themselves come on first use."""
    ours = modules_of_ours(module)

    def getattr_(name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            # Libraries probe these on every module; they get Python's ordinary answer, fast.
            raise AttributeError(f"module '{facade.__name__}' has no attribute '{name}'")
        if name in names.children_of(module):
            return import_module(f"{facade.__name__}.{name}")
        if not names.has_name(module, name):
            raise AttributeError(_unknown_name(module, name))
        _warn_of_old_spelling(module, name)
        value = facade.__dict__[name] = find(module, name)
        return value

    facade.__doc__ = ours[0].__doc__ if ours else None
    facade.__dict__["__all__"] = sorted(names.names_of(module))
    facade.__dict__["__getattr__"] = getattr_
    facade.__dict__["__dir__"] = lambda: sorted({*facade.__dict__, *names.names_of(module), *names.children_of(module)})
    if module == "version":
        facade.__dict__["__version__"] = names.PYFLINK_VERSION


def modules_of_ours(module: str) -> list[ModuleType]:
    """The module of the same name, then the packages around it, as far as Wiesel has them.

    PyFlink cuts its rooms into more files than we do (``pyflink.common.types``, ``pyflink.datastream.data_stream``, …);
    what they hold is found in the room.
    """
    found = []
    while module:
        path = f"{_OURS}.{module}"
        if path in sys.modules or _exists(path):
            found.append(import_module(path))
        module = module.rpartition(".")[0]
    return found


def _exists(path: str) -> bool:
    try:
        return find_spec(path) is not None
    except ModuleNotFoundError as error:
        # The package around it is missing, or is no package; anything else that a module of ours fails to import is a
        # fault to be seen.
        if error.name is not None and f"{path}.".startswith(f"{error.name}."):
            return False
        raise


def _warn_of_old_spelling(module: str, name: str) -> None:
    old = OLD_SPELLINGS.get(f"{module}.{name}")
    if old is not None:
        import warnings

        use = f"; use pyflink.{old.home}" if old.home else ""
        warnings.warn(f"pyflink.{module}.{name} was {old.note}{use}", DeprecationWarning, stacklevel=3)


def find(module: str, name: str) -> Any:
    """The object behind one of PyFlink's names: ours, or a placeholder that raises when it is used.

    Args:
        module: its module, without ``pyflink.``.
        name: a name that :func:`wiesel.compat.names.has_name` knows there.
    """
    ours = modules_of_ours(module)
    if ours and hasattr(ours[0], name):
        return getattr(ours[0], name)
    home = names.homes_of(module).get(name)
    if home is not None:
        home_module, _, home_name = home.rpartition(".")
        return find(home_module, home_name)
    for room in ours[1:]:
        if hasattr(room, name):
            return getattr(room, name)

    from wiesel.compat.placeholder import placeholder
    from wiesel.compat.status import unavailable_message

    return placeholder(f"{_ROOT}.{module}", name, unavailable_message(f"{module}.{name}"))


def own_name(module: str, name: str) -> bool:
    """Whether a name that PyFlink does not have in a module is one of ours there."""
    ours = f"{_OURS}.{module}".rstrip(".")
    public = (ours in sys.modules or _exists(ours)) and name in getattr(import_module(ours), "__all__", ())
    return public or _exists(f"{ours}.{name}")


def _unknown_name(module: str, name: str) -> str:
    """The text for a name that PyFlink does not have: ours alone, in another module of PyFlink's, or misspelled."""
    from wiesel.compat.missing_members import hint

    path = f"{_ROOT}.{module}".rstrip(".")
    ours = f"{_OURS}.{module}".rstrip(".")
    if own_name(module, name):
        return f"'{name}' is Wiesel's own, PyFlink has no such name: import it from '{ours}', not from '{path}'"
    elsewhere = [other for other in names.all_modules() if name in names.names_of(other)]
    if elsewhere:
        return f"module '{path}' has no name '{name}'. It is in '{_ROOT}.{min(elsewhere, key=len)}'."
    candidates = {*names.names_of(module), *names.homes_of(module), *names.children_of(module)}
    return f"module '{path}' has no name '{name}'. {hint(name, candidates)}".rstrip()
