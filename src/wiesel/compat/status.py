"""What Wiesel does with each name and member of PyFlink's, read from ``status.toml`` and ``proofs.toml``.

The files state their own formats. They are read when something asks: a name that cannot be served, ``wiesel check``,
the generated compatibility page; never on a start that goes well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any


class Support(StrEnum):
    """How far a name is served."""

    SUPPORTED = "supported"  # works as PyFlink's, proven by the named test
    ACCEPTED = "accepted"  # a recorded no-op that cannot change results
    UNSUPPORTED = "unsupported"  # resolves, and raises when used


@dataclass(frozen=True, slots=True)
class Status:
    """One entry of ``status.toml``, or of ``proofs.toml``.

    Args:
        support: how far it is served.
        reason: why it is not fully served; for ``supported`` where it is deliberately stricter or kinder, or empty.
        instead: what to use, an imperative sentence, or empty.
        test: the pytest node that proves it, for ``supported``.
        declared_for: the qualified name whose entry it is: the name asked for or one that contains it.
    """

    support: Support
    reason: str
    instead: str
    test: str
    declared_for: str


def status_of(qualified_name: str) -> Status | None:
    """The entry for a name such as ``datastream.DataStream.map``, or what stands for it.

    That is an entry ``*.map`` for members of that name in any class, else one of the nearest class or module around it.

    None means that nothing was declared, which for a name without an implementation is as good as unsupported.
    """
    entries = _entries()
    name = qualified_name
    while name:
        if name in entries:
            return entries[name]
        if (anywhere := f"*.{name.rpartition('.')[2]}") in entries:
            return entries[anywhere]
        name = name.rpartition(".")[0]
    return None


def declared_names() -> frozenset[str]:
    """Every name that has an entry of its own."""
    return frozenset(_entries())


def unavailable_message(qualified_name: str) -> str:
    """What to tell somebody who uses a name that Wiesel does not have."""
    status = status_of(qualified_name)
    reason = status.reason if status and status.support is Support.UNSUPPORTED else "It is not built yet."
    instead = f" {status.instead}" if status and status.instead else ""
    return f"Wiesel does not have pyflink.{qualified_name}. {reason}{instead}"


def parse(document: Mapping[str, Any], proofs: Mapping[str, str]) -> dict[str, Status]:
    """Entries by qualified name; raises ValueError naming an entry that breaks the format's rules.

    Args:
        document: ``status.toml``.
        proofs: ``proofs.toml``: the tests that members without an entry are supported by.
    """
    entries = {name: Status(Support.SUPPORTED, "", "", test, name) for name, test in proofs.items()}
    for name in proofs:
        if f"*.{name.rpartition('.')[2]}" in document:
            del entries[name]  # that something is refused is tested as well
    for name, table in document.items():
        try:
            support = Support(table["status"])
        except (KeyError, ValueError):
            raise ValueError(f"{name}: status must be one of {', '.join(Support)}") from None
        if unknown := table.keys() - {"status", "reason", "instead", "test"}:
            raise ValueError(f"{name}: unknown field {sorted(unknown)}")
        status = Status(
            support, table.get("reason", ""), table.get("instead", ""), table.get("test", proofs.get(name, "")), name
        )
        if support is Support.SUPPORTED and not status.test:
            raise ValueError(f"{name}: supported needs the test that proves it")
        if support is not Support.SUPPORTED and not status.reason:
            raise ValueError(f"{name}: {support} needs a reason")
        entries[name] = status
    return entries


@cache
def _entries() -> dict[str, Status]:
    import tomllib
    from importlib.resources import files

    def read(file: str) -> dict[str, Any]:
        return tomllib.loads(files("wiesel.compat").joinpath(file).read_text(encoding="utf-8"))

    return parse(read("status.toml"), read("proofs.toml"))
