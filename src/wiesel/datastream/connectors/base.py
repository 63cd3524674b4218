"""Bases of sources and sinks (``pyflink.datastream.connectors.base``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NoReturn

from wiesel.connectors.delivery_guarantee import DeliveryGuarantee
from wiesel.core import contracts
from wiesel.core.errors import UnsupportedError
from wiesel.core.types import TypeInformation

if TYPE_CHECKING:
    from wiesel.datastream.data_stream import DataStream

__all__ = [
    "DeliveryGuarantee",
    "JavaFunctionWrapper",
    "Sink",
    "Source",
    "StreamTransformer",
    "SupportsPreprocessing",
    "get_gateway",
]


def get_gateway() -> NoReturn:
    """Raise: PyFlink returns its bridge to the JVM, and there is none here."""
    raise UnsupportedError("get_gateway() needs a JVM. Use the Python names of the connector instead.")


class JavaFunctionWrapper:
    """What PyFlink keeps a Java object in; here it keeps an inert spec (``wiesel.core.contracts``).

    Args:
        j_function: the spec of a source or sink, or what another one's ``get_java_function()`` returned; the name of a
            Java class raises.
    """

    def __init__(self, j_function: Any) -> None:
        if isinstance(j_function, str):
            raise UnsupportedError(f"{j_function} is a Java class, and there is no JVM here.")
        self._spec = j_function

    def get_java_function(self) -> Any:
        """Return a handle to wrap again, in ``Source(...)`` or ``Sink(...)``; there is no Java object to call into."""
        return self


class Source(JavaFunctionWrapper):
    """A source for ``env.from_source``.

    Args:
        source: its spec.
    """

    def __init__(self, source: Any) -> None:
        super().__init__(source)

    @property
    def spec(self) -> contracts.Source:
        """Return the source as data of the job graph."""
        spec: contracts.Source = self._spec.spec if isinstance(self._spec, Source) else self._spec
        return spec

    def produced_type(self) -> TypeInformation | None:
        """Return the type of the records, None where the source does not say."""
        return self._spec.produced_type() if isinstance(self._spec, Source) else None


class Sink(JavaFunctionWrapper):
    """A sink for ``stream.sink_to``.

    Args:
        sink: its spec.
    """

    #: Whether Flink has a committer behind the writer; its plans show one.
    commits: bool = False

    def __init__(self, sink: Any) -> None:
        super().__init__(sink)
        if isinstance(sink, Sink):
            self.commits = sink.commits

    @property
    def spec(self) -> contracts.Sink:
        """Return the sink as data of the job graph."""
        spec: contracts.Sink = self._spec.spec if isinstance(self._spec, Sink) else self._spec
        return spec

    def spec_for(self, type_info: TypeInformation) -> contracts.Sink:
        """Return the sink for a stream of the given type; a sink that writes text or columns depends on it."""
        return self._spec.spec_for(type_info) if isinstance(self._spec, Sink) else self.spec


class StreamTransformer(ABC):
    """Changes a stream before it reaches a sink."""

    @abstractmethod
    def apply(self, ds: DataStream) -> DataStream:
        """Return the changed stream."""


class SupportsPreprocessing(ABC):
    """A sink that wants its stream changed first."""

    @abstractmethod
    def get_transformer(self) -> StreamTransformer | None:
        """Return the change, None for none."""
