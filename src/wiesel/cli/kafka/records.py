"""``wiesel kafka produce`` and ``consume``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, Final

import click

from wiesel.cli.kafka.formats import FORMATS, harmless, json_fields, record_of_json, record_to_json, to_bytes
from wiesel.cli.kafka.options import cluster_options, reporting_errors
from wiesel.core import exit_codes
from wiesel.core.errors import RecordError

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster
    from wiesel.broker.produce import NewRecord
    from wiesel.broker.records import Record

_ASSIGNORS: Final = ["range", "roundrobin", "cooperative-sticky"]


def _format_option(name: str, what: str) -> Callable[[Any], Any]:
    return click.option(f"--{name}-format", type=click.Choice(FORMATS), default="string", show_default=True, help=what)


@click.command(short_help="Write lines as records.")
@click.argument("topic")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--key-separator", metavar="TEXT", help="What stands before its first occurrence in a line is the key.")
@click.option(
    "--format",
    "input_format",
    type=click.Choice(["value", "json"]),
    default="value",
    show_default=True,
    help="A line is a value, or an object as 'consume' writes them.",
)
@_format_option("key", "How keys are written in the input.")
@_format_option("value", "How values are written in the input.")
@click.option("-H", "--header", "headers", metavar="NAME=VALUE", multiple=True, help="A header of every record.")
@click.option("--partition", type=click.IntRange(min=0), metavar="N", help="Default: as the key decides.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="So many records a second.")
@cluster_options
@reporting_errors
def produce(
    cluster: Cluster, topic: str, file: IO[bytes], headers: tuple[str, ...], rate: float | None, **options: Any
) -> int:
    """Write each line of FILE, or of standard input, as one record.

    Returns when the broker has acknowledged them all. Keys go to the partitions where Java's clients would put them.
    With --format json a line has value (null deletes the key of a compacted topic) and maybe key, headers and
    timestamp, so that what 'consume' writes can be written to another topic.

    \b
    Examples:
      echo hello | wiesel kafka produce orders
      wiesel kafka produce orders orders.ndjson --value-format json --rate 100
      printf 'berlin:3\\noslo:5\\n' | wiesel kafka produce sales --key-separator : -H source=manual
      echo cafe | wiesel kafka produce orders --value-format hex
      wiesel kafka consume orders --from-beginning --to-end | wiesel kafka produce copy --format json
    """
    from wiesel.broker.produce import produce as write

    if options["key_separator"] == "":
        raise click.UsageError("--key-separator must not be empty; leave it out for records without a key.")
    count = write(cluster, topic, _records(file, _headers(headers), options), rate)
    if sys.stderr.isatty():
        click.echo(f"{count:,} records written to {topic}", err=True)
    return exit_codes.OK


def _headers(assignments: tuple[str, ...]) -> list[tuple[str, bytes | None]]:
    result: list[tuple[str, bytes | None]] = []
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise click.UsageError(f"-H '{assignment}' is no NAME=VALUE.")
        result.append((name, value.encode()))
    return result


def _records(lines: IO[bytes], headers: list[tuple[str, bytes | None]], options: dict[str, Any]) -> Iterator[NewRecord]:
    for number, line in enumerate(lines, start=1):
        try:
            record = _record(line.removesuffix(b"\n"), options)
        except RecordError as error:
            raise RecordError(
                f"line {number}: {error} The lines before it are written, this one and the rest are not."
            ) from error
        if options["partition"] is not None:
            record = replace(record, partition=options["partition"])
        yield replace(record, headers=[*record.headers, *headers]) if headers else record


def _record(line: bytes, options: dict[str, Any]) -> NewRecord:
    from wiesel.broker.produce import NewRecord

    key_format, value_format = options["key_format"], options["value_format"]
    if options["input_format"] == "json":
        return record_of_json(line, key_format, value_format)
    key: bytes | None = None
    if (separator := options["key_separator"]) is not None:
        key, found, line = line.partition(separator.encode())
        if not found:
            raise RecordError(f"it has no key separator {separator!r}.")
        key = _given(key, key_format)
    return NewRecord(_given(line, value_format), key)


def _given(content: bytes, form: str) -> bytes:
    # A string is what its bytes are, UTF-8 or not.
    return content if form == "string" else to_bytes(content.decode(errors="surrogateescape"), form)


@click.command(short_help="Show records as they come.")
@click.argument("topic")
@click.option("--from-beginning", is_flag=True, help="From the first record that is kept; else only new ones.")
@click.option("--partition", "partitions", type=click.IntRange(min=0), metavar="N", multiple=True, help="Only these.")
@click.option("--offset", type=click.IntRange(min=0), metavar="N", help="Start there in each partition.")
@click.option("--max", "maximum", type=click.IntRange(min=1), metavar="N", help="Stop after N records.")
@click.option("--to-end", is_flag=True, help="Stop at the end of the topic, as it is now.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop when none came for so long.")
@click.option("--group", metavar="NAME", help="Take part in this consumer group, and commit what was shown.")
@click.option(
    "--assignor",
    type=click.Choice(_ASSIGNORS),
    default="range",
    show_default=True,
    help="How the group shares its partitions.",
)
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
@_format_option("key", "How keys are shown.")
@_format_option("value", "How values are shown.")
@cluster_options
@reporting_errors
def consume(cluster: Cluster, topic: str, output_format: str | None, **options: Any) -> int:
    """Show the records of a topic as they come, until Ctrl-C, --max, --to-end or --timeout.

    Without --group nothing is joined and no offset committed, so looking changes nothing. JSON has topic, partition,
    offset, timestamp (milliseconds), key, value and headers; what is not text (or not JSON, with --value-format json)
    appears as key_base64 or value_base64.

    \b
    Examples:
      wiesel kafka consume orders
      wiesel kafka consume orders --from-beginning --to-end | jq .value
      wiesel kafka consume orders --from-beginning --value-format json | jq .value.amount
      wiesel kafka consume orders --partition 2 --offset 1000 --max 10 --format value
      wiesel kafka consume orders --group billing --assignor cooperative-sticky
      wiesel kafka consume orders --from-beginning -c security.protocol=SSL -c ssl.ca.location=ca.pem
    """
    from wiesel.broker.records import Reading, consume_batches

    if options["offset"] is not None and not options["partitions"]:
        raise click.UsageError("--offset means a place in one partition: name it with --partition.")
    if options["group"] is not None and options["partitions"]:
        raise click.UsageError("--group shares all partitions; leave --partition out.")
    reading = Reading(
        from_beginning=options["from_beginning"],
        partitions=options["partitions"],
        offset=options["offset"],
        maximum=options["maximum"],
        to_end=options["to_end"],
        idle_seconds=options["timeout"],
        isolation_level=options["isolation"],
        group=options["group"],
        assignor=options["assignor"],
    )
    on_terminal = sys.stdout.isatty()
    as_json = output_format == "json" if output_format else not on_terminal
    for batch in consume_batches(cluster, topic, reading):
        for record in batch:
            line = _shown(record, as_json, options["key_format"], options["value_format"])
            sys.stdout.buffer.write((harmless(line) if on_terminal else line) + b"\n")
        # Whoever reads the pipe gets what is there, as it comes.
        sys.stdout.buffer.flush()
    return exit_codes.OK


def _shown(record: Record, as_json: bool, key_format: str, value_format: str) -> bytes:
    if as_json:
        return record_to_json(record, key_format, value_format)
    if value_format in ("hex", "base64"):
        return str(json_fields("value", record.value or b"", value_format)["value"]).encode()
    return record.value or b""
