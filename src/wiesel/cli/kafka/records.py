"""``wiesel kafka produce`` and ``consume``."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from typing import IO, TYPE_CHECKING, Any

import click

from wiesel.cli.kafka.options import cluster_options, reporting_errors
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker.records import Record


@click.command(short_help="Write lines as records.")
@click.argument("topic")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--key-separator", metavar="TEXT", help="What stands before its first occurrence in a line is the key.")
@cluster_options
@reporting_errors
def produce(bootstrap_servers: str, topic: str, file: IO[bytes], key_separator: str | None) -> int:
    """Write each line of FILE, or of standard input, as one record.

    Returns when the broker has acknowledged them all. Keys go to the partitions where Java's clients would put them.

    \b
    Examples:
      echo hello | wiesel kafka produce orders
      wiesel kafka produce orders orders.ndjson
      printf 'berlin:3\\noslo:5\\n' | wiesel kafka produce sales --key-separator :
    """
    from wiesel.broker.records import produce_lines

    if key_separator == "":
        raise click.UsageError("--key-separator must not be empty; leave it out for records without a key.")
    separator = key_separator.encode() if key_separator else None
    count = produce_lines(bootstrap_servers, topic, file, separator)
    if sys.stderr.isatty():
        click.echo(f"{count:,} records written to {topic}", err=True)
    return exit_codes.OK


@click.command(short_help="Show records as they come.")
@click.argument("topic")
@click.option("--from-beginning", is_flag=True, help="From the first record that is kept; else only new ones.")
@click.option("--max", "maximum", type=click.IntRange(min=1), metavar="N", help="Stop after N records.")
@click.option("--to-end", is_flag=True, help="Stop at the end of the topic, as it is now.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop when none came for so long.")
@click.option(
    "--isolation",
    type=click.Choice(["read_committed", "read_uncommitted"]),
    default="read_committed",
    show_default=True,
    help="Whether to show records of open and aborted transactions.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["value", "json"]),
    help="The bare values, or one JSON object a record.  [default: value on a terminal, json when piped]",
)
@cluster_options
@reporting_errors
def consume(
    bootstrap_servers: str,
    topic: str,
    from_beginning: bool,
    maximum: int | None,
    to_end: bool,
    timeout: float | None,
    isolation: str,
    output_format: str | None,
) -> int:
    """Show the records of a topic as they come, until Ctrl-C, --max, --to-end or --timeout.

    No consumer group is used and no offset committed, so looking changes nothing. JSON has topic, partition, offset,
    timestamp (milliseconds), key, value and headers; bytes that are no UTF-8 appear as key_base64 or value_base64.

    \b
    Examples:
      wiesel kafka consume orders
      wiesel kafka consume orders --from-beginning --to-end | jq .value
      wiesel kafka consume orders --from-beginning --max 10 --format value
    """
    from wiesel.broker.records import consume_batches

    on_terminal = sys.stdout.isatty()
    as_json = output_format == "json" if output_format else not on_terminal
    batches = consume_batches(
        bootstrap_servers,
        topic,
        from_beginning=from_beginning,
        to_end=to_end,
        idle_seconds=timeout,
        isolation_level=isolation,
    )
    remaining = maximum
    for batch in batches:
        for record in batch[:remaining]:
            line = _as_json(record) if as_json else record.value or b""
            sys.stdout.buffer.write((_harmless(line) if on_terminal else line) + b"\n")
        # Whoever reads the pipe gets what is there, as it comes.
        sys.stdout.buffer.flush()
        if remaining is not None:
            remaining -= len(batch)
            if remaining <= 0:
                break
    return exit_codes.OK


def _as_json(record: Record) -> bytes:
    fields: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        **_text("key", record.key),
        **_text("value", record.value),
    }
    if record.headers:
        fields["headers"] = [{"name": name, **_text("value", value)} for name, value in record.headers]
    return json.dumps(fields, ensure_ascii=False).encode()


def _text(name: str, content: bytes | None) -> dict[str, str | None]:
    try:
        return {name: None if content is None else content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(content or b"").decode()}


def _harmless(line: bytes) -> bytes:
    """Without control characters: a record could hold sequences that take a terminal over."""
    text = line.decode(errors="backslashreplace")
    return "".join(
        one if one.isprintable() or one == "\t" else one.encode("unicode_escape").decode() for one in text
    ).encode()
