"""``wiesel offsets``: how far a job or a consumer group has come."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from wiesel.cli.kafka.groups import offset_rows
from wiesel.cli.kafka.options import cluster_options, reporting_errors
from wiesel.cli.table import show_rows
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster
    from wiesel.connectors.kafka.progress import Progress
    from wiesel.runtime.checkpoint.manifest import CheckpointManifest

_GROUP_COLUMNS: Final = ["topic", "partition", "committed", "end", "lag"]
_SOURCE_COLUMNS: Final = ["operator", "topic", "partition", "offset", "end", "lag"]
_SINK_COLUMNS: Final = ["sink", "transactional_id", "confirmed", "published", "pending"]


@click.command(short_help="Show how far a job, or a consumer group, has read and published.")
@click.argument("name", metavar="JOB|GROUP")
@click.option("--group", "is_group", is_flag=True, help="NAME is a consumer group, even if a job is called so too.")
@click.option(
    "--checkpoints",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where job directories lie (execution.checkpointing.dir).  [default: .wiesel/checkpoints]",
)
@cluster_options
@reporting_errors
def offsets(cluster: Cluster, name: str, is_group: bool, checkpoints: Path | None) -> int:
    """Show how far a job has read, by its latest checkpoint, and published; or what a consumer group has committed.

    JOB is a job's id, or the path of its directory. For each partition that it reads: the offset in the checkpoint, the
    end of the partition and the records between them. For each subtask of an exactly-once sink: the last segment that
    the checkpoint knows to be published, the last one that is (by the progress topic), and how many wait.

    The job may run or not. Without such a job, the name is taken for a consumer group's.

    \b
    Examples:
      wiesel offsets flights
      wiesel offsets /var/lib/wiesel/flights --bootstrap broker:9092
      wiesel offsets flights | jq -s 'map(.lag // 0) | add'
      wiesel offsets --group billing
    """
    directory = None if is_group else _job_directory(name, checkpoints)
    if directory is None:
        from wiesel.broker.groups import Groups

        show_rows(
            offset_rows(Groups(cluster).describe(name).offsets), ["topic", "partition", "committed", "end", "lag"]
        )
        return exit_codes.OK
    manifest = _latest(directory)
    if sys.stdout.isatty():
        moment = datetime.fromtimestamp(manifest.timestamp_ms / 1000, UTC).isoformat(timespec="seconds")
        click.echo(f"checkpoint {manifest.checkpoint_id} of {moment}")
    show_rows(_source_rows(cluster, manifest), _SOURCE_COLUMNS)
    if sinks := _sink_rows(cluster, manifest):
        show_rows(sinks, _SINK_COLUMNS)
    return exit_codes.OK


def _job_directory(name: str, checkpoints: Path | None) -> Path | None:
    from wiesel.cluster.options import DEFAULT_CHECKPOINT_DIRECTORY

    candidates = [Path(name), (checkpoints or DEFAULT_CHECKPOINT_DIRECTORY) / name]
    return next((path for path in candidates if (path / "_store").is_file()), None)


def _latest(directory: Path) -> CheckpointManifest:
    """The newest complete checkpoint. Its seal does not matter here: nothing of it is unpickled."""
    from wiesel.core.disk import OsDisk
    from wiesel.core.errors import CheckpointError
    from wiesel.runtime.checkpoint.manifest import SealKey
    from wiesel.runtime.checkpoint.storage import CheckpointStorage

    storage = CheckpointStorage(OsDisk(), directory, SealKey(b""), trust=True)
    completed = storage.completed()
    if not completed:
        raise CheckpointError(f"{directory} holds no complete checkpoint yet; ask again when the job has taken one.")
    return storage.load_metadata(storage.path_of(max(completed)))


def _source_rows(cluster: Cluster, manifest: CheckpointManifest) -> list[dict[str, Any]]:
    from wiesel.broker.groups import Groups
    from wiesel.connectors.kafka.job_offsets import source_offsets

    found = [
        offset
        for operator in manifest.operators.values()
        for subtask in operator.subtasks
        for offset in source_offsets(operator.name, subtask.splits)
    ]
    found.sort(key=lambda one: (one.operator, one.partition))
    ends = Groups(cluster).ends([one.partition for one in found])
    return [
        {
            "operator": one.operator,
            "topic": one.partition.topic,
            "partition": one.partition.partition,
            "offset": one.offset,
            "end": ends[one.partition][1],
            "lag": max(0, ends[one.partition][1] - max(one.offset, ends[one.partition][0])),
        }
        for one in found
    ]


def _sink_rows(cluster: Cluster, manifest: CheckpointManifest) -> list[dict[str, Any]]:
    from wiesel.connectors.kafka.job_offsets import progress_topics, sink_progress

    progress = {topic: _progress(cluster, topic) for topic in progress_topics(manifest.committers)}
    return [
        {
            "sink": one.sink,
            "transactional_id": one.transactional_id,
            "confirmed": one.confirmed,
            "published": one.published,
            "pending": one.pending,
        }
        for one in sink_progress(manifest.committers, manifest.pending, progress)
    ]


def _progress(cluster: Cluster, topic: str) -> Progress:
    from wiesel.broker.records import Reading, consume_batches
    from wiesel.connectors.kafka.job_offsets import progress_of

    batches = consume_batches(cluster, topic, Reading(from_beginning=True, to_end=True))
    return progress_of((record.key, record.value) for batch in batches for record in batch)
