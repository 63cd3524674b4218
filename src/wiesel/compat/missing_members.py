"""What to say of a name that the API does not have, because it is misspelt or because only Java has it."""

from __future__ import annotations

from collections.abc import Iterable

from wiesel.compat.nearest import did_you_mean

#: What people look for in PyFlink because Java has it.
_IN_JAVA = {
    "output": "A side output is yielded: yield tag, value",
    "collect": "PyFlink has no Collector: yield the result, or return a list of results.",
    "Collector": "PyFlink has no Collector: yield the result, or return a list of results.",
    "get_runtime_context": "open(self, runtime_context) is given it: keep it there.",
    "get_value_state": "Write: get_state(descriptor)",
}


def hint(name: str, members: Iterable[str]) -> str:
    """Return what may have been meant by ``name``, a sentence, or nothing."""
    return _IN_JAVA.get(name) or did_you_mean(name, members).strip()


def is_of_java(name: str) -> bool:
    """Whether Java's API has the name, and PyFlink says it otherwise."""
    return name in _IN_JAVA


def hint_of(error: BaseException) -> str:
    """Return what to append to the message of AttributeErrors about objects of Wiesel's; else nothing."""
    if not isinstance(error, AttributeError) or not error.name or error.name.startswith("_"):
        return ""
    cls = error.obj if isinstance(error.obj, type) else type(error.obj)
    if not any(base.__module__.startswith("wiesel.") for base in cls.__mro__):
        return ""
    ours = cls.__module__.startswith("wiesel.")  # what a class of the user's may have is for its author to know
    found = hint(error.name, [member for member in dir(cls) if not member.startswith("_")] if ours else ())
    return f". {found}" if found else ""
