"""A real Apache Kafka for the tests of this directory, started once a session."""

from wiesel.broker.fixtures import kafka, topic

__all__ = ["kafka", "topic"]
