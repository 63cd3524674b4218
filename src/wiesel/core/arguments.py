"""Arguments of the wrong kind, refused where they are given, in words that say what was meant."""

from __future__ import annotations

from typing import Any, Final

from wiesel.core.types.base import TypeInformation, shown

#: What people mean who give a class of Python for a type.
_MEANT: Final = {
    bool: "Types.BOOLEAN()",
    bytes: "Types.PRIMITIVE_ARRAY(Types.BYTE())",
    dict: "Types.MAP(Types.STRING(), Types.LONG())",
    float: "Types.DOUBLE()",
    int: "Types.LONG()",
    list: "Types.LIST(Types.LONG())",
    str: "Types.STRING()",
    tuple: "Types.TUPLE([Types.STRING(), Types.LONG()])",
}


def expect(value: Any, kind: type | tuple[type, ...], call: str, what: str) -> None:
    """Refuse an argument that is not of a kind.

    Args:
        value: the argument.
        kind: the classes that it may be of.
        call: what was called.
        what: what it takes, as a user would say it.

    Raises:
        TypeError: the argument is of another kind.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{call} takes {what}, got {described(value)}.{_built(value)}")


def expect_attribute(value: Any, attribute: str, call: str, what: str) -> None:
    """Refuse an argument without an attribute, where several families of classes are right."""
    if not hasattr(value, attribute) or isinstance(value, type):
        raise TypeError(f"{call} takes {what}, got {described(value)}.{_built(value)}")


def expect_type(value: Any, call: str) -> None:
    """Refuse what is no ``TypeInformation``; None is for a type that is not declared."""
    if value is not None and not isinstance(value, TypeInformation):
        meant = _MEANT.get(value) if isinstance(value, type) else None
        fix = f" Did you mean {meant}?" if meant else ""
        raise TypeError(f"{call} takes a type such as Types.LONG(), got {described(value)}.{fix}")


def described(value: Any) -> str:
    """Return what an argument is: a class by its name, an object by class and value."""
    return f"the class {value.__name__}" if isinstance(value, type) else f"{type(value).__name__}: {shown(value)}"


def _built(value: Any) -> str:
    return " Call its build() first." if callable(getattr(value, "build", None)) else ""
