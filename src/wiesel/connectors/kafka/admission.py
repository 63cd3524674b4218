"""Refuses records that could never be published, before they become part of a decided epoch.

After the decision a record that the broker does not take would wedge the job for good, so everything that a broker may
object to is asked here: the size, the topic, the timestamp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from wiesel.connectors.kafka.admin import TopicDescription
from wiesel.core.contracts import Clock
from wiesel.core.errors import RecordError

#: Java's ``max.request.size``.
DEFAULT_MAX_REQUEST_BYTES: Final = 1_048_576
#: The broker's ``message.max.bytes``.
_DEFAULT_MAX_MESSAGE_BYTES: Final = 1_048_588
#: What Kafka adds to a record that is alone in its batch, generously.
_OVERHEAD_BYTES: Final = 160
_HOUR_MS: Final = 3_600_000
_NO_LIMIT: Final = 2**63 - 1
#: Without the right to read a topic's settings, this is how far ahead of the clock brokers since 4.0 let records be.
_DEFAULT_AFTER_MS: Final = _HOUR_MS


class TopicSettings(Protocol):
    """The questions about topics; every method may wait."""

    def describe(self, topics: Sequence[str]) -> dict[str, TopicDescription]:
        """Return a description of each topic, or raise ``MissingTopicError``."""

    def topic_configuration(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the settings of each topic that we may see."""


@dataclass(slots=True)
class TopicLimits:
    """What a topic takes.

    Args:
        topic: its name.
        max_bytes: largest key and value together.
        before_ms: how far a timestamp may lie in the past.
        after_ms: how far it may lie in the future.
        checks_timestamps: false where the broker sets timestamps itself.
        requires_keys: whether it is compacted, so that records without key are refused.
    """

    topic: str
    max_bytes: int
    before_ms: int
    after_ms: int
    checks_timestamps: bool
    requires_keys: bool = False

    def check_timestamp(self, timestamp: int, clock: Clock) -> None:
        """Raise ``RecordError`` for a timestamp that the broker would refuse."""
        if not self.checks_timestamps:
            return
        ahead = timestamp - clock.now_ms()
        if ahead > self.after_ms:
            raise RecordError(
                f"The record's timestamp {timestamp} is {ahead} ms in the future, and topic {self.topic!r} takes at "
                f"most {self.after_ms} ms (message.timestamp.after.max.ms). Assign earlier timestamps, or raise the "
                "topic's limit."
            )
        if -ahead > self.before_ms:
            raise RecordError(
                f"The record's timestamp {timestamp} is {-ahead} ms in the past, and topic {self.topic!r} takes at "
                f"most {self.before_ms} ms (message.timestamp.before.max.ms). Raise the topic's limit."
            )

    def refuse_missing_key(self) -> RecordError:
        """Return the error for a record without key."""
        return RecordError(
            f"Topic {self.topic!r} is compacted (cleanup.policy) and takes no records without a key. Give them one: "
            "set_key_serialization_schema(...), or the key of the ProducerRecord."
        )

    def refuse_size(self, size: int) -> RecordError:
        """Return the error for a record of ``size`` bytes."""
        return RecordError(
            f"A record of {size} bytes is larger than topic {self.topic!r} takes ({self.max_bytes}). Raise "
            "max.request.size on the sink and max.message.bytes on the topic, or make the record smaller."
        )


class Admission:
    """Knows the limits of topics, asking the cluster once for each.

    Args:
        settings: where to ask.
        max_request_bytes: the client's own limit.
    """

    def __init__(self, settings: TopicSettings, max_request_bytes: int) -> None:
        self._settings = settings
        self._max_request_bytes = max_request_bytes
        self._limits: dict[str, TopicLimits] = {}

    def limits_of(self, topic: str) -> TopicLimits:
        """Return a topic's limits; the first call for a topic asks the cluster, and may wait.

        Raises:
            MissingTopicError: there is no such topic.
        """
        limits = self._limits.get(topic)
        if limits is None:
            self._settings.describe([topic])
            limits = self._of_configuration(topic, self._settings.topic_configuration([topic]).get(topic, {}))
            self._limits[topic] = limits
        return limits

    def _of_configuration(self, topic: str, configuration: Mapping[str, str]) -> TopicLimits:
        of_topic = int(configuration.get("max.message.bytes", _DEFAULT_MAX_MESSAGE_BYTES))
        return TopicLimits(
            topic,
            max_bytes=min(self._max_request_bytes, of_topic) - _OVERHEAD_BYTES,
            before_ms=int(configuration.get("message.timestamp.before.max.ms", _NO_LIMIT)),
            after_ms=int(configuration.get("message.timestamp.after.max.ms", _DEFAULT_AFTER_MS)),
            checks_timestamps=configuration.get("message.timestamp.type", "CreateTime") == "CreateTime",
            requires_keys="compact" in configuration.get("cleanup.policy", ""),
        )
