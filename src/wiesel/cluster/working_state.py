"""Where a job keeps state on disk while it runs; what an incarnation that was killed left there is only in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from wiesel.cluster.options import local_path
from wiesel.core.configuration import Configuration
from wiesel.core.options import catalog, optional_value_of
from wiesel.state import WORKING_STATE

#: Characters of a store's uuid that its lineages' names begin with.
_STORE: Final = 12


def working_state(configuration: Configuration, job_directory: Path, store: str) -> Path:
    """Return the directory of a job's state on disk, the same at each start, so that a start can remove it.

    No other job has it, and no second process of this one while the job directory is locked. Process ids would not do:
    in a container every start may have the same.

    Args:
        configuration: the job's; ``state.backend.rocksdb.localdir`` is on a disk of its own.
        job_directory: where its checkpoints are.
        store: the uuid of the job directory, or a lineage's name, which begins like it.
    """
    configured = optional_value_of(configuration, catalog.ROCKSDB_DIRECTORY)
    if configured is None:
        return job_directory / WORKING_STATE
    return local_path(configured) / f"wiesel-{store[:_STORE]}"
