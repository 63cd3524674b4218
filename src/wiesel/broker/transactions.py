"""Transactions of a cluster, by Kafka's own admin tool: librdkafka has no question for them."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from wiesel.broker.admin import Admin
from wiesel.broker.client import Cluster, kafka_errors, make_client
from wiesel.broker.distribution import install_tools
from wiesel.broker.errors import BrokerError
from wiesel.broker.jvm import environment, jvm_options
from wiesel.broker.properties import format_properties
from wiesel.core.errors import AuthorizationError, ConnectionFailedError
from wiesel.java.jars import Report

_TOOL: Final = "org.apache.kafka.tools.TransactionsCommand"
_TOOL_SECONDS: Final = 60
_FENCE_SECONDS: Final = 30
_HEAP: Final = "128m"
_FILES_OF_TOKENS: Final = frozenset(
    f"sasl.oauthbearer.assertion.{name}" for name in ("file", "private.key.file", "template.file")
)
_UNKNOWN_ID: Final = "no coordinator knows this transactional id. `wiesel txn list` shows those that there are."


class Transactions:
    """
    Transactions of one cluster.

    Args:
        cluster: where; its properties reach the tool as the user gave them, in a private file.
        report: told about downloads.
    """

    def __init__(self, cluster: Cluster, report: Report) -> None:
        self._cluster = cluster
        self._report = report

    def all(self) -> list[dict[str, str]]:
        """Each transactional id that the coordinators remember: TransactionalId, Coordinator, ProducerId, state."""
        return self._table("list")

    def describe(self, transactional_id: str) -> dict[str, str]:
        """State, producer, timeout, start and partitions of the current transaction of an id."""
        rows = self._table("describe", "--transactional-id", transactional_id)
        if not rows:
            raise BrokerError(_UNKNOWN_ID)
        return rows[0]

    def hanging(self, topic: str | None) -> list[dict[str, str]]:
        """Transactions that hold readers of a topic (None: of any) back although no coordinator knows them."""
        if topic is not None:
            return self._table("find-hanging", "--topic", topic)
        brokers = Admin(self._cluster).broker_ids()
        rows = [row for broker in brokers for row in self._table("find-hanging", "--broker-id", str(broker))]
        # A broker tells of every partition that it has a copy of.
        return list({(row["Topic"], row["Partition"], row["StartOffset"]): row for row in rows}.values())

    def abort(self, transactional_id: str) -> None:
        """
        Abort the open transaction of an id, and fence its producer: whoever uses the id can write nothing more with it.

        It is what each new producer of the id does before its first transaction, so no Java is needed. One that was
        being committed is committed.
        """
        from confluent_kafka import Producer

        producer = make_client(Producer, self._cluster, {"transactional.id": transactional_id})
        with kafka_errors(self._cluster):
            producer.init_transactions(_FENCE_SECONDS)

    def abort_hanging(self, topic: str, partition: int, start_offset: int) -> None:
        """Write the marker that ends a hanging transaction of a partition, found by `hanging`."""
        place = ["--topic", topic, "--partition", str(partition), "--start-offset", str(start_offset)]
        self._run("abort", *place)

    def _table(self, *arguments: str) -> list[dict[str, str]]:
        return parse_table(self._run(*arguments))

    def _run(self, *arguments: str) -> str:
        installation = install_tools(self._report)
        with tempfile.TemporaryDirectory(prefix="wiesel-txn-") as scratch:
            config = Path(scratch) / "client.properties"  # the directory is private, and so is what is in it
            config.write_text(format_properties(self._cluster.given), encoding="utf-8")
            options = [*jvm_options(Path(scratch), installation.archive, _HEAP), *_allowed(self._cluster.given)]
            address = ["--bootstrap-server", self._cluster.bootstrap_servers, "--command-config", str(config)]
            try:
                answer = subprocess.run(
                    [str(installation.java.executable), *options, _TOOL, *address, *arguments],
                    env=environment(os.environ, installation.jars),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=_TOOL_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise ConnectionFailedError(
                    f"no answer of {self._cluster.bootstrap_servers} within {_TOOL_SECONDS} s. Do its brokers run?"
                ) from error
        if answer.returncode != 0:
            raise self._failure(answer.stdout + answer.stderr)
        return answer.stdout

    def _failure(self, said: str) -> BrokerError | AuthorizationError | ConnectionFailedError:
        lines = [line.strip() for line in said.splitlines() if line.strip() and not line.lstrip().startswith("at ")]
        reason = next((line for line in lines if "Exception" in line), lines[-1] if lines else "it said nothing")
        reason = re.sub(r"\b(?:java|org)\.[\w.]+\.(\w+(?:Exception|Error))", r"\1", reason)
        where = self._cluster.bootstrap_servers
        if "Authorization" in reason or "Authentication" in reason:
            return AuthorizationError(
                f"{where} refuses: {reason}. Grant Describe on the transactional ids, and for hanging ones Write on "
                "the topic and ClusterAction on the cluster."
            )
        if "Timeout" in reason or "bootstrap" in reason:
            return ConnectionFailedError(f"no broker answers at {where}: {reason}. --bootstrap-server names another.")
        if "TransactionalIdNotFound" in said or "ID could not be found" in said:
            return BrokerError(_UNKNOWN_ID)
        return BrokerError(f"{where}: {reason}")


def _allowed(properties: Mapping[str, str]) -> list[str]:
    """Options that let Java's client have OAUTHBEARER tokens from where the user says: by itself it trusts nothing."""
    url = properties.get("sasl.oauthbearer.token.endpoint.url", "")
    files = [value for key, value in properties.items() if key in _FILES_OF_TOKENS]
    if url.lower().startswith("file:"):
        files.append(unquote(urlsplit(url).path))
    allowed = {"urls": [url] if url else [], "files": files}
    return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.{kind}={','.join(ones)}" for kind, ones in allowed.items()]


def parse_table(text: str) -> list[dict[str, str]]:
    """The rows of the tool's table: columns are aligned, padded with spaces and separated by tabs."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    # Each line ends with a tab.
    columns, *rows = [[cell.strip() for cell in line.removesuffix("\t").split("\t")] for line in lines]
    return [dict(zip(columns, row, strict=True)) for row in rows]
