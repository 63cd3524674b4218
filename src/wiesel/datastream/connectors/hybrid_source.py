"""Sources one after the other (``pyflink.datastream.connectors.hybrid_source``; Flink docs: "Hybrid Source")."""

from __future__ import annotations

from typing import Any

from wiesel.connectors.hybrid import HybridSourceSpec
from wiesel.core.errors import ConfigurationError
from wiesel.core.types import TypeInformation
from wiesel.datastream.connectors.base import Source

__all__ = ["HybridSource", "HybridSourceBuilder"]


class HybridSource(Source):
    """Reads bounded sources one after the other, and then one that may have no end (Flink: ``HybridSource``).

    Example::

        source = HybridSource.builder(file_source).add_source(kafka_source).build()

    Where the last source starts is fixed when the job starts, so nothing between the sources is lost. Each subtask goes
    on when it has read its own part, where Flink waits for all of them.

    Args:
        source: the spec that the builder made.
    """

    def __init__(self, source: Any) -> None:
        super().__init__(source)

    def produced_type(self) -> TypeInformation | None:
        """Return the type of the first source's records; those of the others must be the same."""
        type_info: TypeInformation | None = self._spec.type_info
        return type_info

    @staticmethod
    def builder(first_source: Source) -> HybridSourceBuilder:
        """Return a builder that begins with a bounded source."""
        return HybridSourceBuilder(first_source)


class HybridSourceBuilder:
    """Builds a ``HybridSource``.

    Args:
        first_source: where to begin.
    """

    def __init__(self, first_source: Source) -> None:
        self._sources = [_checked("builder", first_source)]

    def add_source(self, source: Source) -> HybridSourceBuilder:
        """Add the source to read next.

        Raises:
            ConfigurationError: the source before never ends.
        """
        if not self._sources[-1].spec.bounded:
            raise ConfigurationError("All sources but the last must be bounded; the one before this never ends.")
        self._sources.append(_checked("add_source", source))
        return self

    def build(self) -> HybridSource:
        """Return the source."""
        specs = tuple(source.spec for source in self._sources)
        return HybridSource(HybridSourceSpec(specs, self._sources[0].produced_type()))


def _checked(where: str, source: Source) -> Source:
    if not isinstance(source, Source):
        raise TypeError(f"{where} takes a Source, got {source!r}")
    return source
