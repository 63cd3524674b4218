"""What to say of a member that a class of the API does not have, because it is misspelt or because only Java has it."""

from __future__ import annotations

from collections.abc import Iterable

from wiesel.compat.nearest import did_you_mean

#: What people look for in PyFlink because Java has it.
_IN_JAVA = {
    "output": "A side output is yielded: yield tag, value",
    "collect": "PyFlink has no Collector: yield the result, or return a list of results.",
}


def hint(name: str, members: Iterable[str]) -> str:
    """Return what may have been meant by ``name``, a sentence, or nothing."""
    return _IN_JAVA.get(name) or did_you_mean(name, members).strip()


def hint_of(error: BaseException) -> str:
    """Return what to append to the message of AttributeErrors about objects of Wiesel's; else nothing."""
    if not isinstance(error, AttributeError) or not error.name or error.name.startswith("_"):
        return ""
    cls = error.obj if isinstance(error.obj, type) else type(error.obj)
    if not cls.__module__.startswith("wiesel."):
        return ""
    found = hint(error.name, [member for member in dir(cls) if not member.startswith("_")])
    return f". {found}" if found else ""
