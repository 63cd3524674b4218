"""Names that schemas have in a registry (Confluent: ``SubjectNameStrategy``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from wiesel.core.errors import ConfigurationError


class SubjectNameStrategy(ABC):
    """Chooses the subject that a schema is registered under."""

    @abstractmethod
    def subject_name(self, record_name: str | None) -> str:
        """Return the subject.

        Args:
            record_name: full name of the record: an Avro record's, a Protobuf message's, a JSON schema's title; None
                when it has none.

        Raises:
            ConfigurationError: the strategy needs a name, and there is none.
        """


@dataclass(frozen=True)
class TopicNameStrategy(SubjectNameStrategy):
    """``<topic>-value``, or ``<topic>-key``: the usual one; a topic has records of one kind then.

    Args:
        topic: the topic that is written.
        is_key: whether the schema is the key's.
    """

    topic: str
    is_key: bool = False

    def subject_name(self, record_name: str | None) -> str:
        """See the base class."""
        return f"{self.topic}-{'key' if self.is_key else 'value'}"


@dataclass(frozen=True)
class RecordNameStrategy(SubjectNameStrategy):
    """The record's full name: one schema for a kind of record, whatever the topic."""

    def subject_name(self, record_name: str | None) -> str:
        """See the base class."""
        return _named(record_name, self)


@dataclass(frozen=True)
class TopicRecordNameStrategy(SubjectNameStrategy):
    """``<topic>-<record>``: several kinds of records in a topic, each compatible with itself.

    Args:
        topic: the topic that is written.
    """

    topic: str

    def subject_name(self, record_name: str | None) -> str:
        """See the base class."""
        return f"{self.topic}-{_named(record_name, self)}"


def subject_of(subject: object, record_name: str | None) -> str:
    """Return the subject that a user gave as a text or a strategy.

    Raises:
        ConfigurationError: it is neither, or the strategy needs a name that the schema has not.
    """
    if isinstance(subject, SubjectNameStrategy):
        return subject.subject_name(record_name)
    if isinstance(subject, str) and subject:
        return subject
    raise ConfigurationError(f"A subject is a text or a SubjectNameStrategy, got {subject!r}.")


def _named(record_name: str | None, strategy: SubjectNameStrategy) -> str:
    if not record_name:
        raise ConfigurationError(
            f"{type(strategy).__name__} needs the record's name, and this schema has none: give an Avro record a name, "
            "a JSON schema a title."
        )
    return record_name
