"""The BATCH runtime mode: what is different when all input is there before the first result is wanted."""

from __future__ import annotations

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.operator_specs import BroadcastProcessSpec, SourceSpec
from wiesel.core.options import catalog
from wiesel.graph.stream_graph import StreamGraph

__all__ = ["prepare_batch"]


def prepare_batch(graph: StreamGraph, configuration: Configuration) -> None:
    """Set a batch job's configuration, as Flink does.

    Event time does not move before the end, so no record is late. Keyed operators get their input sorted, one key after
    the other, and the only checkpoint is the last one, with which sinks publish: a batch that fails begins anew. With
    ``execution.sorted-inputs.enabled: false``, or where nothing is keyed, records come as they were read, and
    checkpoints are taken as configured.

    Raises:
        ConfigurationError: a source never ends.
    """
    for node in graph.nodes:
        if isinstance(node.spec, SourceSpec) and not node.spec.source.bounded:
            raise ConfigurationError(
                f"Detected an UNBOUNDED source with the 'execution.runtime-mode' set to 'BATCH': {node.name!r} never "
                f"ends. Give it an end (set_bounded()) or run in STREAMING mode."
            )
    configuration.set_string(catalog.AUTO_WATERMARK_INTERVAL.key, "0 ms")
    configuration.set_string(catalog.RUNTIME_MODE.key, "BATCH")  # what AUTOMATIC came to
    if not any(node.keyed or isinstance(node.spec, BroadcastProcessSpec) for node in graph.nodes):
        configuration.set_string(catalog.SORTED_INPUTS.key, "false")  # nothing to sort, so checkpoints stay
