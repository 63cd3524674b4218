"""``wiesel kafka groups``: list, describe, reset-offsets, delete."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from wiesel.cli.kafka.options import cluster_options, reporting_errors
from wiesel.cli.kafka.topics import ListByDefault
from wiesel.cli.table import show_rows
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster
    from wiesel.broker.groups import GroupOffset

#: Of a table of offsets.
COLUMNS: Final = ["topic", "partition", "committed", "end", "lag"]


@click.group(cls=ListByDefault, short_help="List, describe, reset and delete consumer groups.")
def groups() -> None:
    """List consumer groups (without a command), describe them, move their offsets and delete them.

    \b
    Examples:
      wiesel kafka groups
      wiesel kafka groups describe billing
      wiesel kafka groups reset-offsets billing --topic orders --to-earliest --execute
      wiesel kafka groups delete billing
    """


@groups.command("list")
@cluster_options
@reporting_errors
def list_(cluster: Cluster) -> int:
    """List consumer groups with their states.

    \b
    Examples:
      wiesel kafka groups list
      wiesel kafka groups list | jq -r 'select(.state == "Empty") | .group'
    """
    from wiesel.broker.groups import Groups

    show_rows([asdict(one) for one in Groups(cluster).all()], ["group", "state", "kind"])
    return exit_codes.OK


@groups.command()
@click.argument("group")
@cluster_options
@reporting_errors
def describe(cluster: Cluster, group: str) -> int:
    """Show how far a group has come in each partition, its state and its members.

    Piped: one object a partition, then one with state and members.

    \b
    Examples:
      wiesel kafka groups describe billing
      wiesel kafka groups describe billing | jq -s 'map(.lag // 0) | add'
    """
    from wiesel.broker.groups import Groups

    found = Groups(cluster).describe(group)
    show_rows(offset_rows(found.offsets), COLUMNS)
    members = [asdict(one) for one in found.members]
    rest = {"group": group, "state": found.state, "assignor": found.assignor, "coordinator": found.coordinator}
    if sys.stdout.isatty():
        show_rows([rest], list(rest))
        if members:
            show_rows(members, list(members[0]))
    else:
        show_rows([{**rest, "members": members}], [])
    return exit_codes.OK


@groups.command("reset-offsets")
@click.argument("group")
@click.option("--topic", "topics", metavar="NAME", multiple=True, help="Default: every topic that it has committed.")
@click.option("--to-earliest", is_flag=True, help="To the first record that is kept.")
@click.option("--to-latest", is_flag=True, help="Behind the last record.")
@click.option("--to-offset", type=click.IntRange(min=0), metavar="N")
@click.option("--to-datetime", metavar="TIME", help="To the first record of this ISO time, as in 2026-01-31T12:00Z.")
@click.option("--shift-by", type=int, metavar="N", help="So many records further, or back.")
@click.option("--execute", is_flag=True, help="Do it; without, what would be done is shown.")
@cluster_options
@reporting_errors
def reset_offsets(cluster: Cluster, group: str, topics: tuple[str, ...], execute: bool, **where: Any) -> int:
    """Move the offsets of a group that has no members.

    A job of Wiesel goes on from its checkpoint, never from its group: to rewind a job, start it from a savepoint.

    \b
    Examples:
      wiesel kafka groups reset-offsets billing --topic orders --to-earliest            shows what it would do
      wiesel kafka groups reset-offsets billing --topic orders --to-earliest --execute
      wiesel kafka groups reset-offsets billing --to-datetime 2026-01-31T12:00Z --execute
    """
    from wiesel.broker.groups import Groups, Target

    given = [name for name, value in where.items() if value not in (None, False)]
    if len(given) != 1:
        raise click.UsageError("Give one of --to-earliest, --to-latest, --to-offset, --to-datetime and --shift-by.")
    target = Target(
        earliest=where["to_earliest"],
        latest=where["to_latest"],
        offset=where["to_offset"],
        timestamp=None if where["to_datetime"] is None else _milliseconds(where["to_datetime"]),
        shift=where["shift_by"],
    )
    show_rows(offset_rows(Groups(cluster).reset(group, topics, target, execute=execute)), COLUMNS)
    if not execute:
        click.echo("nothing was changed; --execute does it", err=True)
    return exit_codes.OK


@groups.command()
@click.argument("names", metavar="GROUP...", nargs=-1, required=True)
@cluster_options
@reporting_errors
def delete(cluster: Cluster, names: tuple[str, ...]) -> int:
    """Delete groups without members, and their offsets.

    \b
    Examples:
      wiesel kafka groups delete billing
    """
    from wiesel.broker.groups import Groups

    Groups(cluster).delete(names)
    return exit_codes.OK


def offset_rows(offsets: list[GroupOffset] | Any) -> list[dict[str, Any]]:
    """The rows of a table of offsets."""
    return [
        {"topic": one.topic, "partition": one.partition, "committed": one.committed, "end": one.end, "lag": one.lag}
        for one in offsets
    ]


def _milliseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"'{text}' is no ISO time, as in 2026-01-31T12:00Z.") from None
    if moment.tzinfo is None:
        raise click.BadParameter(f"'{text}' names no time zone; add Z for UTC, or an offset as in +01:00.")
    return int(moment.timestamp() * 1000)
