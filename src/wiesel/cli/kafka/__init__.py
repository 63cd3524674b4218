"""``wiesel kafka``: start, stop and look into a local Apache Kafka."""

from __future__ import annotations

import click

from wiesel.cli.kafka.broker import down, fetch, kill, restart, status, up
from wiesel.cli.kafka.groups import groups
from wiesel.cli.kafka.records import consume, produce
from wiesel.cli.kafka.topics import topics


@click.group()
def kafka() -> None:
    """Start, stop and look into a local Apache Kafka: the real one, on this machine, with no Java installed.

    The tools (topics, groups, produce, consume) work on any cluster, with --bootstrap-server and the client's
    properties (-c KEY=VALUE, or --command-config FILE).

    \b
    Examples:
      wiesel kafka up                          a broker on port 9092, data in .wiesel/kafka
      wiesel kafka topics create orders -p 4
      echo hello | wiesel kafka produce orders
      wiesel kafka consume orders --from-beginning --max 1
      wiesel kafka groups describe billing
      wiesel kafka down                        stop it and keep the data
    """


for command in (up, down, status, kill, restart, fetch, topics, groups, produce, consume):
    kafka.add_command(command)
