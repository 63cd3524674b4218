"""Starting the broker of one directory: jars, format, spawn, wait until it answers."""

import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from wiesel.broker.directory import BrokerDirectory, BrokerState
from wiesel.broker.distribution import KAFKA_VERSION, install, pinned_version
from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.broker.jvm import broker_command, environment, format_command, jvm_options
from wiesel.broker.jvm import cluster_id as new_cluster_id
from wiesel.broker.probe import answers, free_port, is_taken
from wiesel.broker.properties import (
    Listener,
    broker_properties,
    client_listeners,
    format_properties,
    node_properties,
    parse_properties,
)
from wiesel.broker.wanted import Wanted, version_for
from wiesel.core.redaction import HIDDEN, is_secret, redact
from wiesel.java import process
from wiesel.java.jars import Report

START_SECONDS = 60.0
# A free port can be taken by somebody else between our look and the broker's.
PORT_ATTEMPTS = 3

_PORT_TAKEN = "Address already in use"

Started = tuple[BrokerState, subprocess.Popen[bytes] | None]


def silent(_what: str, _done: int, _total: int) -> None:
    """The Report of those who want none."""


class Starter:
    """One attempt of one process to have the broker of a directory running; several may try at once."""

    def __init__(self, home: BrokerDirectory, wanted: Wanted, report: Report) -> None:
        self._home = home
        self._wanted = wanted
        self._report = report
        self._deadline = time.monotonic() + START_SECONDS

    def run(self) -> Started:
        """Start the broker, or join whoever is starting it, or find it running; returns when it answers."""
        self._home.create()
        while True:
            lock = process.LifeLock(self._home.lock)
            if lock.acquire():
                try:
                    return self._start(lock)
                finally:
                    lock.close()
            if running := self._join():
                return running, None
            if time.monotonic() > self._deadline:
                raise BrokerError(
                    f"another process has been starting the broker of {self._home.root} for {START_SECONDS:.0f} s; "
                    f"see {self._home.log}, or end that process."
                )
            time.sleep(process.POLL_SECONDS)

    def _join(self) -> BrokerState | None:
        """The broker that another process started, once it answers."""
        state = self._home.read_state()
        if state is None:
            return None
        properties = parse_properties(self._home.properties.read_text(encoding="utf-8"))
        listener = client_listeners(properties)[0]
        if not answers(listener, 1.0) or not process.is_held(self._home.lock):
            return None
        if self._wanted.port and self._wanted.port != listener.port:
            raise BrokerConfigurationError(
                f"the broker of {self._home.root} runs on port {listener.port} already; "
                "`wiesel kafka down` stops it, another --dir makes a second one."
            )
        # Ports that were left to us to choose cannot be compared.
        different = [k for k, v in self._wanted.overrides.items() if properties.get(k) != v and k != "listeners"]
        if different:
            raise BrokerConfigurationError(
                f"the broker of {self._home.root} runs with another value of {', '.join(different)}; "
                "`wiesel kafka down` stops it, then `up` starts it with yours."
            )
        if self._wanted.version and pinned_version(self._wanted.version) != state.kafka_version:
            raise BrokerConfigurationError(
                f"the broker of {self._home.root} runs Kafka {state.kafka_version}; `wiesel kafka down` stops it, "
                "another --dir makes a second one."
            )
        return state

    def _start(self, lock: process.LifeLock) -> Started:
        # Data of before versions were written down are ours.
        made_with = self._home.read_version() or (KAFKA_VERSION if self._home.data.exists() else None)
        version = version_for(self._wanted.version, made_with)
        installation = install(self._report, version)
        java = installation.java.executable
        options = jvm_options(self._home.temporary, installation.archive, self._wanted.heap)
        jvm_environment = environment(os.environ, installation.jars)
        # Downloads took as long as they took; from here on it is the broker's time.
        self._deadline = time.monotonic() + START_SECONDS
        for _ in range(PORT_ATTEMPTS):
            properties = self._choose_properties()
            self._home.prepare(format_properties(properties))
            self._format(java, options, jvm_environment, properties)
            self._home.write_version(version)
            self._report("starting Apache Kafka " + version, 0, 0)
            command = broker_command(java, options, self._home.properties)
            child = process.spawn(command, jvm_environment, self._home.root, self._home.log, lock.descriptor)
            listener = client_listeners(properties)[0]
            state = BrokerState(child.pid, listener.address, version)
            try:
                self._home.write_state(state)
                if self._await_answer(child, listener):
                    return state, child
            except BaseException:
                child.kill()
                child.wait()
                self._home.clear_state()
                raise
            self._home.clear_state()
            if _PORT_TAKEN not in self._home.log_tail(lines=200):
                break
        raise BrokerError(self._failure(f"Kafka ended with exit code {child.returncode} before it answered"))

    def _choose_properties(self) -> dict[str, str]:
        wanted = self._wanted
        if wanted.node is not None:
            properties = node_properties(self._home.data, wanted.node, wanted.overrides)
        else:
            properties = broker_properties(self._home.data, wanted.port or free_port(), wanted.overrides, free_port)
        for listener in client_listeners(properties):
            if is_taken(listener.host, listener.port):
                raise BrokerConfigurationError(
                    f"port {listener.port} of {listener.host} is in use by another program (another broker?); "
                    "choose one with --port, or --port 0 for a free one."
                )
        return properties

    def _format(
        self, java: Path, options: list[str], jvm_environment: Mapping[str, str], properties: Mapping[str, str]
    ) -> None:
        """Once in a directory's life. It happens under another name, so that one cut short is never taken for done."""
        if self._home.data.exists():
            return
        self._report("formatting " + str(self._home.data), 0, 0)
        scratch = self._home.temporary / "formatting.properties"
        self._home.write_private(scratch, format_properties({**properties, "log.dirs": str(self._home.formatting)}))
        try:
            answer = subprocess.run(
                format_command(java, options, scratch, self._wanted.cluster_id or new_cluster_id(uuid.uuid4().bytes)),
                env=dict(jvm_environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                umask=0o077,
                check=False,
            )
        finally:
            scratch.unlink()
        if answer.returncode != 0:
            complaint = "\n".join(line for line in answer.stderr.splitlines() if " INFO " not in line)[-2000:]
            raise BrokerError(self._hide(f"Kafka could not format {self._home.data}:\n{complaint}"))
        self._home.formatting.rename(self._home.data)

    def _await_answer(self, child: subprocess.Popen[bytes], listener: Listener) -> bool:
        """False if the process ended instead."""
        while not answers(listener, 1.0):
            if child.poll() is not None:
                return False
            if time.monotonic() > self._deadline:
                raise BrokerError(self._failure(f"Kafka did not answer within {START_SECONDS:.0f} s"))
            time.sleep(process.POLL_SECONDS)
        return child.poll() is None

    def _failure(self, what: str) -> str:
        return self._hide(f"{what}. The end of {self._home.log}:\n{self._home.log_tail()}")

    def _hide(self, text: str) -> str:
        """Without the values of secret overrides, should Kafka have repeated them."""
        for key, value in self._wanted.overrides.items():
            if is_secret(key) and value:
                text = text.replace(value, HIDDEN)
        return redact(text)
