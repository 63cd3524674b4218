"""Stand-ins for names that PyFlink has and Wiesel does not: importing one is fine, using it raises.

A script may import more than it uses, and annotations name classes that never come to life; so a missing class must not
stop the import. But nothing may pretend to work: calling, subclassing, subscripting and reading any attribute raise.
"""

from __future__ import annotations

from typing import Any, NoReturn

from wiesel.compat.errors import UnsupportedNameError


class _Unavailable(type):
    """Metaclass of the classes that stand in; all that a class can be used for ends here."""

    _message: str

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _Unavailable:
        for base in bases:
            if isinstance(base, _Unavailable):
                raise UnsupportedNameError(base._message)
        return super().__new__(mcs, name, bases, namespace)

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise UnsupportedNameError(cls._message)

    def __getitem__(cls, _: Any) -> NoReturn:
        raise UnsupportedNameError(cls._message)

    def __getattr__(cls, name: str) -> NoReturn:
        # Python and its libraries probe names with underscores and must get the ordinary answer.
        if name.startswith("_"):
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")
        raise UnsupportedNameError(cls._message)


def is_placeholder(found: Any) -> bool:
    """Whether ``found`` only stands in for something that Wiesel does not have."""
    return isinstance(found, _Unavailable) or getattr(found, "is_placeholder", False) is True


def placeholder(module: str, name: str, message: str) -> Any:
    """A class, or a function if the name is spelled like one, that raises ``message`` when it is used.

    Args:
        module: full name of the module that will hold it, so that it pickles by reference.
        name: its name there.
        message: why it is not there and what to use instead.
    """
    if name[0].islower():

        def unavailable(*_: Any, **__: Any) -> NoReturn:
            raise UnsupportedNameError(message)

        unavailable.__module__, unavailable.__name__, unavailable.__qualname__ = module, name, name
        unavailable.__doc__ = message
        unavailable.is_placeholder = True  # type: ignore[attr-defined]
        return unavailable
    return _Unavailable(name, (), {"__module__": module, "__qualname__": name, "__doc__": message, "_message": message})
