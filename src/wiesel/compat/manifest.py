"""PyFlink 2.3's public API as data: every name with its members and their parameters (``api-2.3.json``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any


@cache
def load() -> Mapping[str, Mapping[str, Any]]:
    """Module (without ``pyflink.``) → name → ``{"kind", "members" or "params"}``; read on first use, not on import."""
    import json
    from importlib.resources import files

    manifest: dict[str, dict[str, Any]] = json.loads(
        files("wiesel.compat").joinpath("api-2.3.json").read_text(encoding="utf-8")
    )
    return manifest


def qualified_names() -> Iterator[str]:
    """Every name and member, as ``datastream.DataStream.map``; a nested class comes before its members."""
    for module, names in load().items():
        for name, entry in names.items():
            yield from _walk(f"{module}.{name}", entry)


def members_of(qualified_name: str) -> frozenset[str]:
    """Names of the members of a class such as ``datastream.DataStream``; empty when the manifest has no such class."""
    entry = _find(qualified_name)
    return frozenset(entry.get("members", ())) if entry else frozenset()


def _walk(qualified_name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    yield qualified_name
    for member, member_entry in entry.get("members", {}).items():
        yield from _walk(f"{qualified_name}.{member}", member_entry)


def _find(qualified_name: str) -> Mapping[str, Any] | None:
    manifest = load()
    parts = qualified_name.split(".")
    for split in range(len(parts) - 1, 0, -1):
        names = manifest.get(".".join(parts[:split]))
        if names is None or parts[split] not in names:
            continue
        entry: Mapping[str, Any] | None = names[parts[split]]
        for member in parts[split + 1 :]:
            entry = entry.get("members", {}).get(member) if entry else None
        return entry
    return None
