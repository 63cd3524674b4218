"""``wiesel txn``: the transactions of a Kafka cluster, and how one that was left open is ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from wiesel.cli.kafka.options import cluster_options, reporting_errors
from wiesel.cli.table import show_rows
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster
    from wiesel.broker.transactions import Transactions


@click.group()
def txn() -> None:
    """List, describe and abort transactions of a Kafka cluster.

    A job needs none of this: every start ends what an earlier one left open. It is for transactions that nobody will
    come back for, which hold read_committed readers back until they time out.

    Questions are asked by Kafka's own tool in a Java of its own ('wiesel[broker]'), since the Python client has none.

    \b
    Examples:
      wiesel txn list
      wiesel txn describe my-job-delays-0
      wiesel txn abort my-job-delays-0
    """


@txn.command("list")
@click.option("--state", metavar="STATE", help="Only these: Ongoing, PrepareCommit, CompleteAbort, Empty, …")
@cluster_options
@reporting_errors
def list_(cluster: Cluster, state: str | None) -> int:
    """List the transactional ids that the cluster remembers, with the state of their last transaction.

    \b
    Examples:
      wiesel txn list --state Ongoing
      wiesel txn list | jq -r .transactional_id
    """
    rows = [
        {
            "transactional_id": one["TransactionalId"],
            "state": one["TransactionState"],
            "producer_id": int(one["ProducerId"]),
            "coordinator": int(one["Coordinator"]),
        }
        for one in _transactions(cluster).all()
        if state is None or one["TransactionState"].lower() == state.lower()
    ]
    show_rows(rows, ["transactional_id", "state", "producer_id", "coordinator"])
    return exit_codes.OK


@txn.command()
@click.argument("transactional_id")
@cluster_options
@reporting_errors
def describe(cluster: Cluster, transactional_id: str) -> int:
    """Show the current transaction of a transactional id: state, age, timeout and the partitions it has written.

    \b
    Examples:
      wiesel txn describe my-job-delays-0
      wiesel txn describe my-job-delays-0 -c security.protocol=SSL --bootstrap broker:9093
    """
    found = _transactions(cluster).describe(transactional_id)
    row = {
        "transactional_id": found["TransactionalId"],
        "state": found["TransactionState"],
        "started": _moment(found["CurrentTransactionStartTimeMs"]),
        "timeout_ms": int(found["TransactionTimeoutMs"]),
        "producer_id": int(found["ProducerId"]),
        "epoch": int(found["ProducerEpoch"]),
        "partitions": [place for place in found["TopicPartitions"].split(",") if place],
    }
    show_rows([row], list(row))
    return exit_codes.OK


@txn.command()
@click.argument("transactional_id", required=False)
@click.option("--topic", metavar="NAME", help="With --partition and --start-offset: a hanging transaction.")
@click.option("--partition", type=click.IntRange(min=0), metavar="N")
@click.option("--start-offset", type=click.IntRange(min=0), metavar="N", help="As 'txn hanging' shows it.")
@cluster_options
@reporting_errors
def abort(
    cluster: Cluster,
    transactional_id: str | None,
    topic: str | None,
    partition: int | None,
    start_offset: int | None,
) -> int:
    """Abort the open transaction of a transactional id. Whoever still uses the id is fenced: it can write no more.

    If it belongs to a job of Wiesel that runs, the job takes a new producer and publishes again; nothing is lost.

    A hanging transaction, which no coordinator knows any more, is ended by its place.

    \b
    Examples:
      wiesel txn abort my-job-delays-0
      wiesel txn abort --topic delays --partition 2 --start-offset 1042
    """
    place = (topic, partition, start_offset)
    if (transactional_id is None) == (topic is None) or (topic is not None and None in place):
        raise click.UsageError("Give a TRANSACTIONAL_ID, or --topic, --partition and --start-offset together.")
    transactions = _transactions(cluster)
    if transactional_id is not None:
        transactions.abort(transactional_id)
    elif topic is not None and partition is not None and start_offset is not None:
        transactions.abort_hanging(topic, partition, start_offset)
    return exit_codes.OK


@txn.command()
@click.option("--topic", metavar="NAME", help="Default: every topic.")
@cluster_options
@reporting_errors
def hanging(cluster: Cluster, topic: str | None) -> int:
    """List transactions that hold readers back although no coordinator knows them: what a broker's death can leave.

    \b
    Examples:
      wiesel txn hanging --topic delays
    """
    rows: list[dict[str, Any]] = [
        {
            "topic": one["Topic"],
            "partition": int(one["Partition"]),
            "start_offset": int(one["StartOffset"]),
            "producer_id": int(one["ProducerId"]),
            "minutes": int(one["Duration(min)"]),
        }
        for one in _transactions(cluster).hanging(topic)
    ]
    show_rows(rows, ["topic", "partition", "start_offset", "producer_id", "minutes"])
    return exit_codes.OK


def _transactions(cluster: Cluster) -> Transactions:
    from wiesel.broker.transactions import Transactions
    from wiesel.cli.kafka.progress import StartProgress

    return Transactions(cluster, StartProgress())


def _moment(milliseconds: str) -> str | None:
    if not milliseconds.isdigit():
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat(timespec="milliseconds")
