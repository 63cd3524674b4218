"""The sink behind a source that writes dead letters: an ordinary Kafka sink of whole records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.delivery_guarantee import DeliveryGuarantee
from wiesel.connectors.kafka.bad_records import BadRecordPolicy
from wiesel.connectors.kafka.encoding import RecordSerializerSpec
from wiesel.connectors.kafka.records import ProducerRecord
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.core.errors import ConfigurationError
from wiesel.core.shipping import ship

if TYPE_CHECKING:
    from wiesel.connectors.kafka.source_spec import KafkaSourceSpec

#: Only the topic's own limit counts: a record as large as its topic takes grows by the headers.
_LARGEST_REQUEST: Final = "1000000000"


class _Letters:
    """Dead letters are records already."""

    def open(self) -> None:
        """Nothing to prepare."""

    def serialize(self, element: Any, _context: Any, _timestamp: int | None) -> ProducerRecord:
        """Return the letter."""
        letter: ProducerRecord = element
        return letter


def dead_letter_sink(source: KafkaSourceSpec, policy: BadRecordPolicy) -> KafkaSinkSpec:
    """Return the sink of a source's dead letters, on the source's cluster with the source's login.

    Raises:
        ConfigurationError: EXACTLY_ONCE, and nothing to name its transactions after.
    """
    from wiesel.connectors.kafka.client import connection_properties

    prefix = None
    if policy.delivery_guarantee is DeliveryGuarantee.EXACTLY_ONCE:
        prefix = policy.transactional_id_prefix or (f"{source.group_id}-dead-letters" if source.group_id else None)
        if prefix is None:
            raise ConfigurationError(
                f"Dead letters to {policy.topic!r} are written exactly once, which needs a name that is this job's "
                "alone on the cluster: set_group_id('my-job') on the source, or BadRecordPolicy.dead_letter(topic, "
                "transactional_id_prefix='my-job-dead-letters')."
            )
    return KafkaSinkSpec(
        source.bootstrap_servers,
        RecordSerializerSpec(policy.topic, None, None, None, own=ship(_Letters())),
        policy.delivery_guarantee,
        prefix,
        {**connection_properties(source.properties), "max.request.size": _LARGEST_REQUEST},
    )
