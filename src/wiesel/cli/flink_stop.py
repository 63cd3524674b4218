"""``wiesel flink stop`` and ``offsets``: end a job on Flink so that it goes on elsewhere, nothing lost or repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from wiesel.cli.kafka.options import cluster_options, reporting_errors
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster
    from wiesel.flink.savepoints import Position

_DEFAULT_CLUSTER: Final = "localhost:8081"

_group_option = click.option(
    "--group", metavar="GROUP", help="Commit for this consumer group where the job's Kafka sources stood."
)
_topic_option = click.option(
    "--topic", "topics", metavar="NAME", multiple=True, help="Of these topics only; repeatable."
)


@click.command(short_help="Stop a job on a cluster; its group stands where its output ends.")
@click.argument("job", metavar="JOB")
@click.option(
    "--cluster",
    "address",
    metavar="HOST:PORT",
    default=_DEFAULT_CLUSTER,
    show_default=True,
    help="REST address of the Flink cluster.",
)
@click.option("--savepoint-dir", metavar="URI", help="By default the cluster's execution.checkpointing.savepoint-dir.")
@click.option("--drain", is_flag=True, help="End event time first: all windows and event-time timers fire.")
@_group_option
@_topic_option
@cluster_options
@reporting_errors
def stop(
    job: str,
    address: str,
    savepoint_dir: str | None,
    drain: bool,
    group: str | None,
    topics: tuple[str, ...],
    cluster: Cluster,
) -> int:
    """Stop a job of a Flink cluster with a savepoint and print where that is; JOB is the id that Flink gave it.

    With --group the offsets in the savepoint are committed for that group, which Flink itself does not do at a stop: so
    a job that starts at committed_offsets() goes on exactly where the output ends, on Wiesel or on Flink.

    \b
    Examples:
      wiesel flink stop 5e2c8a... --group orders --bootstrap-server kafka:9092
      wiesel flink stop 5e2c8a... --cluster flink:8081 --savepoint-dir s3://bucket/savepoints
    """
    from wiesel.flink.cluster_api import parse_address
    from wiesel.flink.savepoints import stop_with_savepoint

    where = None if savepoint_dir is None else _uri(savepoint_dir)
    savepoint = stop_with_savepoint(parse_address(address), job, where, drain=drain)
    click.echo(f"savepoint={savepoint}")
    return _committed(_positions(savepoint, topics), group, cluster) if group is not None else exit_codes.OK


@click.command(short_help="Show where a savepoint of Flink stands in Kafka; --group commits it.")
@click.argument("savepoint", metavar="SAVEPOINT")
@_group_option
@_topic_option
@cluster_options
@reporting_errors
def offsets(savepoint: str, group: str | None, topics: tuple[str, ...], cluster: Cluster) -> int:
    """Show where the Kafka sources of a job stand in a savepoint or checkpoint of Flink, by its path or URI.

    With --group they are committed for that group; without, nothing is changed.

    \b
    Examples:
      wiesel flink offsets /mnt/savepoints/savepoint-5e2c8a-0d1f
      wiesel flink offsets /mnt/savepoints/savepoint-5e2c8a-0d1f --group orders --bootstrap-server kafka:9092
    """
    from dataclasses import asdict

    from wiesel.cli.table import show_rows

    found = _positions(_uri(savepoint), topics)
    if group is not None:
        return _committed(found, group, cluster)
    show_rows([asdict(position) for position in found], ["topic", "partition", "offset"])
    return exit_codes.OK


def _positions(savepoint: str, topics: tuple[str, ...]) -> list[Position]:
    from wiesel.cli.kafka.progress import StartProgress
    from wiesel.flink.environment import prepare
    from wiesel.flink.errors import FlinkError
    from wiesel.flink.savepoints import kafka_positions

    with StartProgress() as progress:
        found = kafka_positions(savepoint, prepare(progress))
    chosen = [position for position in found if not topics or position.topic in topics]
    if not chosen:
        there = ", ".join(sorted({position.topic for position in found})) or "none"
        raise FlinkError(
            f"{savepoint} has no offset of a Kafka source to commit; topics in it: {there}. Check --topic."
        )
    return chosen


def _committed(positions: list[Position], group: str, cluster: Cluster) -> int:
    from wiesel.broker.groups import Groups
    from wiesel.cli.kafka.groups import COLUMNS, offset_rows
    from wiesel.cli.table import show_rows

    there = Groups(cluster).commit(group, {(one.topic, one.partition): one.offset for one in positions})
    show_rows(offset_rows(there), COLUMNS)
    return exit_codes.OK


def _uri(place: str) -> str:
    """A path as Flink wants it; what is a URI already stays."""
    return place if ":/" in place else Path(place).absolute().as_uri()
