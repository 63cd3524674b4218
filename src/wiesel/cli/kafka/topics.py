"""``wiesel kafka topics``: list, create, describe, alter, delete."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wiesel.cli.kafka.options import cluster_options, cluster_options_without_c, reporting_errors
from wiesel.cli.table import show_rows
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster


class ListByDefault(click.Group):
    """`topics` and `topics --option` mean `topics list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of what would be its options."""
        if not args or (args[0].startswith("-") and args[0] not in self.get_help_option_names(ctx)):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ListByDefault, short_help="List, create, describe, alter and delete topics.")
def topics() -> None:
    """List topics (without a command), create, describe, alter and delete them.

    Lists are tables on a terminal and one JSON object a line in a pipe.

    \b
    Examples:
      wiesel kafka topics
      wiesel kafka topics create orders -p 4 -c retention.ms=-1
      wiesel kafka topics describe orders
      wiesel kafka topics alter orders -p 8 -c retention.ms=86400000
      wiesel kafka topics delete orders
    """


@topics.command("list")
@click.option("--internal", is_flag=True, help="Also Kafka's own topics (__consumer_offsets, …).")
@click.option("--names", is_flag=True, help="Just the names, one a line.")
@cluster_options
@reporting_errors
def list_(cluster: Cluster, internal: bool, names: bool) -> int:
    """List topics with their numbers of partitions and replicas.

    \b
    Examples:
      wiesel kafka topics list
      wiesel kafka topics list --internal --bootstrap-server 127.0.0.1:9092
      wiesel kafka topics list --names | grep '^test-'
    """
    from wiesel.broker.admin import Admin

    found = [one for one in Admin(cluster).list_topics() if internal or not one.is_internal]
    if names:
        for one in found:
            click.echo(one.name)
    else:
        rows = [{"topic": one.name, "partitions": one.partitions, "replicas": one.replicas} for one in found]
        show_rows(rows, ["topic", "partitions", "replicas"])
    return exit_codes.OK


@topics.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("-p", "--partitions", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "-r", "--replicas", type=click.IntRange(min=1), help="Copies of each partition.  [default: the cluster's]"
)
@click.option("-c", "--conf", "assignments", metavar="KEY=VALUE", multiple=True, help="A property of the topic.")
@cluster_options_without_c
@reporting_errors
def create(
    cluster: Cluster, names: tuple[str, ...], partitions: int, replicas: int | None, assignments: tuple[str, ...]
) -> int:
    """Create topics; returns when they can be used.

    \b
    Examples:
      wiesel kafka topics create orders -p 4
      wiesel kafka topics create orders -p 4 -r 3 -c min.insync.replicas=2
      wiesel kafka topics create history -c retention.ms=-1        records of any age stay
      wiesel kafka topics create latest -c cleanup.policy=compact
    """
    from wiesel.broker.admin import Admin
    from wiesel.broker.properties import parse_assignments

    admin, properties = Admin(cluster), parse_assignments(assignments)
    for name in names:
        admin.create_topic(name, partitions, properties, replicas or -1)
    return exit_codes.OK


@topics.command()
@click.argument("name")
@cluster_options
@reporting_errors
def describe(cluster: Cluster, name: str) -> int:
    """Show the partitions of a topic, their first offset and the next one, leaders and copies, and its properties.

    Piped: one object a partition; its properties follow as the last object.

    \b
    Examples:
      wiesel kafka topics describe orders
      wiesel kafka topics describe orders | jq 'select(.partition) | .next_offset'
    """
    from wiesel.broker.admin import Admin

    described = Admin(cluster).describe_topic(name)
    rows = [
        {
            "partition": one.partition,
            "first_offset": one.earliest,
            "next_offset": one.latest,
            "leader": one.leader,
            "in_sync": one.in_sync,
        }
        for one in described.partitions
    ]
    show_rows(rows, ["partition", "first_offset", "next_offset", "leader", "in_sync"])
    if not sys.stdout.isatty():
        show_rows([{"topic": name, "properties": described.properties}], [])
    else:
        for key, value in described.properties.items():
            click.echo(f"{key}={value}")
    return exit_codes.OK


@topics.command()
@click.argument("name")
@click.option("-p", "--partitions", type=click.IntRange(min=1), help="More of them; they are never taken away.")
@click.option("-c", "--conf", "assignments", metavar="KEY=VALUE", multiple=True, help="Set a property of the topic.")
@click.option("--default", "defaults", metavar="KEY", multiple=True, help="Give a property its default again.")
@cluster_options_without_c
@reporting_errors
def alter(
    cluster: Cluster, name: str, partitions: int | None, assignments: tuple[str, ...], defaults: tuple[str, ...]
) -> int:
    """Change the properties of a topic, or give it more partitions; the properties not named stay as they are.

    \b
    Examples:
      wiesel kafka topics alter orders -c retention.ms=86400000 -c max.message.bytes=5000000
      wiesel kafka topics alter orders --default retention.ms
      wiesel kafka topics alter orders -p 8            keys may move to other partitions
    """
    from wiesel.broker.admin import Admin
    from wiesel.broker.properties import parse_assignments

    properties: dict[str, str | None] = {**parse_assignments(assignments), **dict.fromkeys(defaults)}
    if not properties and partitions is None:
        raise click.UsageError("Nothing to alter: give -c KEY=VALUE, --default KEY or -p N.")
    Admin(cluster).alter_topic(name, properties, partitions)
    return exit_codes.OK


@topics.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@cluster_options
@reporting_errors
def delete(cluster: Cluster, names: tuple[str, ...]) -> int:
    """Delete topics with all their records.

    \b
    Examples:
      wiesel kafka topics delete orders
      wiesel kafka topics list --names | grep '^test-' | xargs wiesel kafka topics delete
    """
    from wiesel.broker.admin import Admin

    Admin(cluster).delete_topics(names)
    return exit_codes.OK
