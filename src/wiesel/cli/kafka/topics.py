"""``wiesel kafka topics``: list, create, describe, delete."""

from __future__ import annotations

import sys

import click

from wiesel.cli.kafka.options import cluster_options, reporting_errors
from wiesel.core import exit_codes


class _ListByDefault(click.Group):
    """`topics` and `topics --option` mean `topics list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in self.get_help_option_names(ctx)):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault, short_help="List, create, describe and delete topics.")
def topics() -> None:
    """List topics (without a command), create, describe and delete them.

    \b
    Examples:
      wiesel kafka topics
      wiesel kafka topics create orders -p 4 -c retention.ms=-1
      wiesel kafka topics describe orders
      wiesel kafka topics delete orders
    """


@topics.command("list")
@click.option("--internal", is_flag=True, help="Also Kafka's own topics (__consumer_offsets, …).")
@cluster_options
@reporting_errors
def list_(bootstrap_servers: str, internal: bool) -> int:
    """List topics: a table on a terminal, else one name a line.

    \b
    Examples:
      wiesel kafka topics list
      wiesel kafka topics list --internal --bootstrap-server 127.0.0.1:9092
    """
    from wiesel.broker.admin import Admin

    found = [one for one in Admin(bootstrap_servers).list_topics() if internal or not one.is_internal]
    if sys.stdout.isatty():
        _print_table(["topic", "partitions"], [[one.name, str(one.partitions)] for one in found])
    else:
        for one in found:
            click.echo(one.name)
    return exit_codes.OK


@topics.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("-p", "--partitions", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("-c", "--conf", "assignments", metavar="KEY=VALUE", multiple=True, help="A property of the topic.")
@cluster_options
@reporting_errors
def create(bootstrap_servers: str, names: tuple[str, ...], partitions: int, assignments: tuple[str, ...]) -> int:
    """Create topics; returns when they can be used.

    \b
    Examples:
      wiesel kafka topics create orders -p 4
      wiesel kafka topics create history -c retention.ms=-1        records of any age stay
      wiesel kafka topics create latest -c cleanup.policy=compact
    """
    from wiesel.broker.admin import Admin
    from wiesel.broker.properties import parse_assignments

    admin, properties = Admin(bootstrap_servers), parse_assignments(assignments)
    for name in names:
        admin.create_topic(name, partitions, properties)
    return exit_codes.OK


@topics.command()
@click.argument("name")
@cluster_options
@reporting_errors
def describe(bootstrap_servers: str, name: str) -> int:
    """Show the partitions of a topic, their first offset and the next one, and its properties.

    Piped: one line a partition, the three numbers separated by tabs; then one KEY=VALUE a line.

    \b
    Examples:
      wiesel kafka topics describe orders
      wiesel kafka topics describe orders | cut -f3        the next offset of each partition
    """
    from wiesel.broker.admin import Admin

    described = Admin(bootstrap_servers).describe_topic(name)
    rows = [[str(one.partition), str(one.earliest), str(one.latest)] for one in described.partitions]
    if sys.stdout.isatty():
        _print_table(["partition", "first offset", "next offset"], rows)
    else:
        for row in rows:
            click.echo("\t".join(row))
    for key, value in described.properties.items():
        click.echo(f"{key}={value}")
    return exit_codes.OK


@topics.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@cluster_options
@reporting_errors
def delete(bootstrap_servers: str, names: tuple[str, ...]) -> int:
    """Delete topics with all their records.

    \b
    Examples:
      wiesel kafka topics delete orders
      wiesel kafka topics list | grep '^test-' | xargs wiesel kafka topics delete
    """
    from wiesel.broker.admin import Admin

    Admin(bootstrap_servers).delete_topics(names)
    return exit_codes.OK


def _print_table(columns: list[str], rows: list[list[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if rows and all(row[number].isdigit() for row in rows) else "left")
    for row in rows:
        table.add_row(*map(Text, row))  # Text, because a name may look like markup
    Console().print(table)
