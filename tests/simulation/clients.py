"""Makes clients of the simulated Kafka in the place of confluent-kafka's (``connectors.kafka.client.Clients``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from tests.simulation.broker import BrokerError, SimulatedKafka
from tests.simulation.consumer import SimulatedConsumer
from tests.simulation.network import Link, NetworkFaults
from tests.simulation.producer import SimulatedProducer
from tests.simulation.scheduler import Scheduler


class SimulatedClients:
    """All simulated processes make their clients here.

    Args:
        scheduler: knows who asks.
        kafka: the cluster.
        faults: of the network.
    """

    def __init__(self, scheduler: Scheduler, kafka: SimulatedKafka, faults: NetworkFaults) -> None:
        self._scheduler = scheduler
        self._kafka = kafka
        self._faults = faults

    def _link(self) -> Link:
        return Link(self._scheduler, self._scheduler.current().process, self._faults)

    def consumer(self, configuration: Mapping[str, Any], logger: object = None) -> SimulatedConsumer:
        """Make a consumer."""
        return SimulatedConsumer(self._kafka, self._link(), configuration)

    def producer(self, configuration: Mapping[str, Any], logger: object = None) -> SimulatedProducer:
        """Make a producer."""
        return SimulatedProducer(self._kafka, self._link(), configuration)

    def admin(self, configuration: Mapping[str, Any], logger: object = None) -> SimulatedAdmin:
        """Make an admin client."""
        return SimulatedAdmin(self._scheduler, self._kafka, self._faults)


class SimulatedAdmin:
    """Questions; shared by all processes of the simulation, as it keeps nothing."""

    def __init__(self, scheduler: Scheduler, kafka: SimulatedKafka, faults: NetworkFaults) -> None:
        self._scheduler = scheduler
        self._kafka = kafka
        self._faults = faults

    def poll(self, timeout: float) -> int:
        """Serve nothing."""
        return 0

    def _reaches(self) -> bool:
        self._scheduler.sleep(self._scheduler.random.random() * 0.004)
        return self._scheduler.random.random() >= self._faults.lost

    def _answer(self, answers: Mapping[Any, Any]) -> dict[Any, Future[Any]]:
        reaches = self._reaches()
        result: dict[Any, Future[Any]] = {}
        for asked, answer in answers.items():
            future = result[asked] = Future()
            try:
                if not reaches:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, None, False, True))
                future.set_result(answer())
            except BrokerError as error:
                future.set_exception(KafkaException(KafkaError(error.code)))
            except KafkaException as error:
                future.set_exception(error)
        return result

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        """Return topics and brokers."""
        if not self._reaches():
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, None, False, True))
        return SimpleNamespace(topics=dict.fromkeys(self._kafka.topics), brokers={0: None})

    def describe_topics(self, topics: Any, request_timeout: float = 0, **_: Any) -> Any:
        """Describe topics."""

        def describe(name: str) -> Any:
            topic = self._kafka.topic(name)
            partition = SimpleNamespace(replicas=[0], isr=[0])
            return SimpleNamespace(topic_id=topic.topic_id, partitions=[partition] * len(topic.partitions))

        return self._answer({name: lambda name=name: describe(name) for name in topics.topic_names})

    def describe_configs(self, resources: Sequence[Any], request_timeout: float = 0) -> Any:
        """Return settings."""

        def settings(resource: Any) -> Any:
            broker = {"transaction.max.timeout.ms": "60000"}
            is_broker = resource.name == "0"
            configuration = broker if is_broker else self._kafka.topic(resource.name).configuration
            return {name: SimpleNamespace(name=name, value=value) for name, value in configuration.items()}

        return self._answer({resource: lambda resource=resource: settings(resource) for resource in resources})

    def create_topics(self, topics: Sequence[Any], request_timeout: float = 0) -> Any:
        """Create topics."""
        return self._answer(
            {
                new.topic: lambda new=new: self._kafka.create_topic(new.topic, new.num_partitions, new.config)
                for new in topics
            }
        )

    def list_offsets(self, asked: Mapping[Any, Any], isolation_level: Any = None, request_timeout: float = 0) -> Any:
        """Return the first or the last offsets."""
        from confluent_kafka.admin import OffsetSpec

        def offset(partition: Any, spec: Any) -> Any:
            log = self._kafka.partition((partition.topic, partition.partition))
            earliest = type(spec) is type(OffsetSpec.earliest())
            return SimpleNamespace(offset=log.start if earliest else log.end)

        return self._answer({p: lambda p=p, spec=spec: offset(p, spec) for p, spec in asked.items()})
