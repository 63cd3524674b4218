"""``wiesel dlq``: look into a topic of dead letters, and send them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wiesel.cli.kafka.options import cluster_options
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster

_COLUMNS = ("letter", "topic", "partition", "offset", "error", "replayed")

_filter_option = click.option(
    "--filter",
    "conditions",
    metavar="FIELD=TEXT",
    multiple=True,
    help="Only letters with this topic, partition, offset, key, error (a part of it) or header.NAME; repeatable, all "
    "must hold.",
)


@click.group()
def dlq() -> None:
    """Look into a topic of dead letters, and send them back.

    Dead letters are records that a source could not decode (docs/kafka.md). Kafka Connect's are read as well.

    \b
    Examples:
      wiesel dlq show orders.dead
      wiesel dlq show orders.dead --filter error=UnicodeDecodeError | jq .value
      wiesel dlq replay orders.dead                       each to the topic it came from
      wiesel dlq replay orders.dead --to orders.repaired --filter topic=orders
    """


@dlq.command(short_help="Show dead letters.")
@click.argument("topic")
@_filter_option
@click.option("--max", "maximum", type=click.IntRange(min=1), metavar="N", help="Stop after N letters.")
@cluster_options
def show(cluster: Cluster, topic: str, conditions: tuple[str, ...], maximum: int | None) -> int:
    """Show the letters of TOPIC as a table, or in a pipe as one JSON object each, with key, value and headers.

    \b
    Examples:
      wiesel dlq show orders.dead
      wiesel dlq show orders.dead --filter topic=orders --filter partition=3 --max 10
    """
    from itertools import islice

    from wiesel.cli.kafka.formats import json_fields
    from wiesel.cli.table import show_rows
    from wiesel.connectors.kafka.dead_letters import DeadLetter, DeadLetterTopic, Filter

    wanted = Filter(conditions)
    letters = DeadLetterTopic(cluster.bootstrap_servers, cluster.properties, topic)
    replayed = letters.replayed()

    def row(letter: DeadLetter) -> dict[str, Any]:
        place = (letter.partition, letter.offset)
        return {
            "letter": f"{letter.partition}/{letter.offset}",
            "topic": letter.topic,
            "partition": letter.partition_read,
            "offset": letter.offset_read,
            "timestamp": letter.timestamp,
            "error": letter.error,
            "replayed": "yes" if place in replayed else "no",
            **json_fields("key", letter.key, "string"),
            **json_fields("value", letter.value, "string"),
            "headers": [{"name": name, **json_fields("value", value, "string")} for name, value in letter.headers],
        }

    meant = (letter for letter in letters.letters() if wanted.takes(letter))
    show_rows([row(letter) for letter in islice(meant, maximum)], _COLUMNS)
    return exit_codes.OK


@dlq.command(short_help="Send dead letters back as the records they were.")
@click.argument("topic")
@click.option("--to", metavar="TOPIC", help="Where to; without it each goes to the topic it was read from.")
@_filter_option
@click.option("--again", is_flag=True, help="Also letters that were replayed before.")
@cluster_options
def replay(cluster: Cluster, topic: str, to: str | None, conditions: tuple[str, ...], again: bool) -> int:
    """Write each letter of TOPIC as the record it was: key, value, headers and timestamp.

    A letter is replayed once, also when a replay is interrupted or two run at a time: records and a mark in TOPIC are
    one transaction. A replayed record has one more header, __wiesel.dlq.replayed-from, which says whose it is.

    \b
    Examples:
      wiesel dlq replay orders.dead
      wiesel dlq replay orders.dead --to orders.repaired --filter error=UnicodeDecodeError
    """
    from wiesel.connectors.kafka.dead_letter_replay import Replayer
    from wiesel.connectors.kafka.dead_letters import Filter

    replayer = Replayer(cluster.bootstrap_servers, cluster.properties, topic, to, Filter(conditions), again=again)
    done = replayer.run()
    click.echo(f"{done.replayed:,} replayed, {done.already:,} had been before, {done.filtered:,} not meant", err=True)
    return exit_codes.OK
