"""What a job in BATCH mode does differently: operators with a key, or with a broadcast side, get sorted input."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import IO

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.operator_specs import BroadcastProcessSpec
from wiesel.core.options import catalog, optional_value_of, value_of
from wiesel.graph.job_graph import OperatorNode
from wiesel.runtime.exchange.input_gate import InputGate
from wiesel.runtime.exchange.sorting_gate import SortingGate
from wiesel.runtime.external_sort import ExternalSorter

#: The input of a broadcast function that all subtasks read.
_BROADCAST_SIDE = 1


def sorts_inputs(configuration: Configuration) -> bool:
    """Whether the job runs in BATCH mode and sorts (``execution.sorted-inputs.enabled``)."""
    return value_of(configuration, catalog.RUNTIME_MODE) == "BATCH" and value_of(configuration, catalog.SORTED_INPUTS)


def in_batches(gate: InputGate, head: OperatorNode, configuration: Configuration) -> InputGate | SortingGate:
    """Return the input of a batch's operator: by key and event time, a broadcast side before all else.

    Raises:
        ConfigurationError: there is no place for temporary files.
    """
    has_broadcast_side = isinstance(head.spec, BroadcastProcessSpec)
    if not head.keyed and not has_broadcast_side:
        return gate
    directories = optional_value_of(configuration, catalog.TEMPORARY_DIRECTORIES)
    directory = directories[0] if directories else None
    if directory is not None and not Path(directory).is_dir():
        raise ConfigurationError(f"io.tmp.dirs: there is no directory {directory!r}. Make it, or name another one.")
    open_file = partial(_temporary_file, directory)
    sorter = ExternalSorter(value_of(configuration, catalog.SORTED_INPUTS_MEMORY), open_file)
    return SortingGate(gate, sorter, _BROADCAST_SIDE if has_broadcast_side else None)


def _temporary_file(directory: str | None) -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="wiesel-sort-", dir=directory)
