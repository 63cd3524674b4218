"""What a record serializer may ask (Flink: ``KafkaRecordSerializationSchema.KafkaSinkContext``)."""

from __future__ import annotations

from collections.abc import Callable


class KafkaSinkContext:
    """The sink subtask that a record is made in, and its topics' partitions.

    Args:
        parallel_instance_id: number of the sink subtask, from 0.
        number_of_parallel_instances: how many there are.
        count_partitions: asks the cluster for a topic's number of partitions; raises ``MissingTopicError``.
    """

    def __init__(
        self, parallel_instance_id: int, number_of_parallel_instances: int, count_partitions: Callable[[str], int]
    ) -> None:
        self._parallel_instance_id = parallel_instance_id
        self._number_of_parallel_instances = number_of_parallel_instances
        self._count_partitions = count_partitions
        self._partitions: dict[str, range] = {}

    def get_parallel_instance_id(self) -> int:
        """Return the number of the sink subtask, from 0."""
        return self._parallel_instance_id

    def get_number_of_parallel_instances(self) -> int:
        """Return how many sink subtasks there are."""
        return self._number_of_parallel_instances

    def get_partitions_for_topic(self, topic: str) -> range:
        """Return the partitions of a topic as they were when it was first asked for, as in Flink.

        Raises:
            MissingTopicError: there is no such topic.
        """
        partitions = self._partitions.get(topic)
        return self._ask(topic) if partitions is None else partitions

    def has_partition(self, topic: str, partition: int) -> bool:
        """Whether a topic has a partition; the cluster is asked again before the answer is no."""
        return partition in self.get_partitions_for_topic(topic) or partition in self._ask(topic)

    def _ask(self, topic: str) -> range:
        partitions = self._partitions[topic] = range(self._count_partitions(topic))
        return partitions
