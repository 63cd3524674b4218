"""The page ``docs/compatibility.md``, made from the manifest and the status data.

Written by ``python -m wiesel.compat.page > docs/compatibility.md``; a test keeps the committed page current.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wiesel.compat import manifest
from wiesel.compat.status import Status, Support, status_of

#: The rooms that the promise of the page's first table is about.
ROOMS = (
    "common",
    "common.configuration",
    "common.serialization",
    "common.typeinfo",
    "common.watermark_strategy",
    "datastream",
    "datastream.connectors",
    "datastream.connectors.base",
    "datastream.connectors.file_system",
    "datastream.connectors.hybrid_source",
    "datastream.connectors.jdbc",
    "datastream.connectors.kafka",
    "datastream.connectors.number_seq",
    "datastream.formats.avro",
    "datastream.formats.csv",
    "datastream.formats.json",
    "datastream.formats.parquet",
    "datastream.functions",
    "datastream.state",
    "datastream.window",
    "metrics",
)

#: Members that hand out an object of the JVM's, by their own names: nobody can serve them without one.
JVM_MEMBERS = frozenset(
    {
        "add_jars_to_context_class_loader",
        "get_gateway",
        "get_java_function",
        "get_java_memory_size",
        "get_java_object",
        "get_java_output_tag",
        "get_java_slot_sharing_group",
        "get_java_type_info",
        "to_j_row_kind",
    }
)

_INTRODUCTION = """\
# Compatibility with PyFlink 2.3

Every public name of `pyflink.common`, `pyflink.datastream` and `pyflink.metrics` resolves under `wiesel run`, with the
same members and the same parameters. This page says what each of them does. It is generated from
`src/wiesel/compat` (`python -m wiesel.compat.page > docs/compatibility.md`); do not edit it by hand.

- **supported**: works as in PyFlink. A test fails when the member's body is emptied; `src/wiesel/compat/proofs.toml`
  names it, and `python -m tests.tools.empty_members --sample 50` tries fifty of them.
- **accepted**: does nothing, and cannot change a job's results; the reason is given below.
- **unsupported**: resolves, and raises when it is used, saying why and what to use instead.
- **not judged**: there, but no test of its own proves it yet.

Modules that are not listed (`pyflink.table`, the connectors for Cassandra, Elasticsearch, Kinesis, Pulsar, RabbitMQ)
resolve, and raise when they are used.
"""


def render() -> str:
    """Return the whole page."""
    modules = list(manifest.load())
    parts = [_INTRODUCTION, _summary("Rooms", [m for m in modules if m in ROOMS])]
    parts.append("## Name by name\n")
    parts += [_module(module) for module in modules]
    return "\n".join(parts).rstrip("\n") + "\n"


def members(module: str) -> Iterator[tuple[str, Status | None]]:
    """Yield every member of every class of a module, and every function, with its status."""
    for name, entry in manifest.load()[module].items():
        yield from _members_of(f"{module}.{name}", entry)


def _members_of(path: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, Status | None]]:
    nested = entry.get("members", {})
    if not nested:
        yield path, status_of(path)
    for name, member in nested.items():
        yield from _members_of(f"{path}.{name}", member)


def supported_share(modules: Sequence[str] = ROOMS, without_jvm: bool = False) -> tuple[int, int]:
    """Return how many of the members of these modules are supported, and of how many.

    Args:
        modules: the modules.
        without_jvm: leave out ``JVM_MEMBERS``, on both sides.
    """
    judged = [
        status
        for module in modules
        for path, status in members(module)
        if not (without_jvm and path.rpartition(".")[2] in JVM_MEMBERS)
    ]
    return sum(status is not None and status.support is Support.SUPPORTED for status in judged), len(judged)


def _kind(status: Status | None) -> str:
    return "not judged" if status is None else str(status.support)


_KINDS = ("supported", "accepted", "unsupported", "not judged")


def _summary(title: str, modules: list[str]) -> str:
    lines = [
        f"## {title}\n",
        "| module | names | members | " + " | ".join(_KINDS) + " |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    total: Counter[str] = Counter()
    for module in modules:
        counts = Counter(_kind(status) for _, status in members(module))
        total += counts
        cells = [str(counts[kind]) for kind in _KINDS]
        names = len(manifest.load()[module])
        lines.append(f"| `pyflink.{module}` | {names} | {counts.total()} | " + " | ".join(cells) + " |")
    lines.append(_share(modules))
    return "\n".join(lines)


def _share(modules: Sequence[str]) -> str:
    supported, count = supported_share(modules)
    strictly, without = supported_share(modules, without_jvm=True)
    handles = supported - strictly
    names = ", ".join(f"`{name}`" for name in sorted(JVM_MEMBERS))
    percent = [
        f"{100 * part / all_:.1f} %" for part, all_ in ((strictly, without), (supported, count), (strictly, count))
    ]
    return f"""
**{strictly} of {without} members are supported: {percent[0]}**, not counting those that hand out something
of the JVM's, which mean nothing where there is none ({names}).
A member counts once in each module that has its class, as in PyFlink.

Of all {count} members it is {supported}: {percent[1]}. {handles} of these are `get_java_function()`: what it returns
can be wrapped again and is the same source or sink then, but there is no Java object in it to call into. With every
member of the JVM's counted as unsupported it is {strictly} of {count}: {percent[2]}
([why](adr/0014-what-counts-as-supported.md)).
"""


def _module(module: str) -> str:
    lines = [f"### pyflink.{module}\n"]
    for name, entry in manifest.load()[module].items():
        judged = list(_members_of(f"{module}.{name}", entry))
        counts = Counter(_kind(status) for _, status in judged)
        told = ", ".join(f"{counts[kind]} {kind}" if len(judged) > 1 else kind for kind in _KINDS if counts[kind])
        lines.append(f"- `{name}`: {told}")
        lines += _exceptions(f"{module}.{name}", judged)
    return "\n".join(lines) + "\n"


def _exceptions(path: str, judged: list[tuple[str, Status | None]]) -> Iterator[str]:
    """Yield a line for each member, or group of them, of which there is something to say."""
    told: set[str] = set()
    for name, status in judged:
        if status is None or not status.reason or status.declared_for in told:
            continue
        told.add(status.declared_for)
        label = name if status.declared_for == name else status.declared_for
        label = f"`{label[len(path) + 1 :]}` " if label.startswith(f"{path}.") else ""
        yield f"  - {label}{_kind(status)}: {status.reason} {status.instead}".rstrip()
    missing = [name[len(path) + 1 :] for name, status in judged if status is None and name != path]
    if missing:
        yield f"  - not judged: {', '.join(f'`{name}`' for name in missing)}"


if __name__ == "__main__":
    import sys

    sys.stdout.write(render())
