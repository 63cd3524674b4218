"""Channels between the tasks of different workers, over one socket pair for each two of them."""

from __future__ import annotations

from collections.abc import Mapping

from wiesel.cluster.workers.connection import Connection
from wiesel.cluster.workers.protocol import CREDIT, CREDIT_PAYLOAD, worker_of
from wiesel.runtime.exchange.remote_channel import IncomingChannel, OutgoingChannel


class PeerExchange:
    """Where subtasks are, seen from one worker (``deployment.Exchange``).

    Args:
        worker: its number.
        workers: how many there are.
        connections: to each other worker, by its number.
    """

    def __init__(self, worker: int, workers: int, connections: Mapping[int, Connection]) -> None:
        self._worker = worker
        self._workers = workers
        self._connections = connections
        self._outgoing: dict[int, OutgoingChannel] = {}
        self._incoming: dict[int, IncomingChannel] = {}

    def is_local(self, subtask: int) -> bool:
        """Whether the subtask of this number lives here."""
        return worker_of(subtask, self._workers) == self._worker

    def outgoing(self, channel: int, receiver: int) -> OutgoingChannel:
        """Return the sending end of a channel."""
        connection = self._connections[worker_of(receiver, self._workers)]
        end = OutgoingChannel(lambda frame: connection.send(frame, channel))
        self._outgoing[channel] = end
        return end

    def incoming(self, channel: int, sender: int) -> IncomingChannel:
        """Return the receiving end of a channel."""
        connection = self._connections[worker_of(sender, self._workers)]

        def grant(records: int, size: int) -> None:
            connection.send(CREDIT_PAYLOAD.pack(records, size), channel, CREDIT)

        end = IncomingChannel(grant)
        self._incoming[channel] = end
        return end

    def receive(self, connection: Connection) -> None:
        """Give what has arrived from another worker to its channels."""
        for channel, kind, payload in connection.receive():
            if kind == CREDIT:
                self._outgoing[channel].grant(*CREDIT_PAYLOAD.unpack(payload))
            else:
                self._incoming[channel].receive(payload)
