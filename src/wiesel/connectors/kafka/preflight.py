"""What a Kafka sink checks before the job starts, so that a mistake costs a message and not a running job."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from wiesel.connectors.delivery_guarantee import DeliveryGuarantee
from wiesel.connectors.kafka.admin import cluster
from wiesel.core.contracts import JobFacts
from wiesel.core.errors import ConfigurationError

if TYPE_CHECKING:
    from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec

logger = logging.getLogger(__name__)


def check_sink(sink: KafkaSinkSpec, job: JobFacts) -> None:
    """Check a sink against its job and its cluster.

    Raises:
        ConfigurationError: the guarantee cannot be kept in this job.
        ConnectionFailedError, AuthorizationError, MissingTopicError: the cluster is not as the sink needs it.
    """
    check_guarantee(sink, job)
    connection = cluster(sink.bootstrap_servers, sink.properties)
    connection.connect()
    if sink.serializer.topic is not None:
        connection.describe([sink.serializer.topic])


def check_guarantee(sink: KafkaSinkSpec, job: JobFacts) -> None:
    """Check what can be known without a broker."""
    prefix = sink.transactional_id_prefix
    if sink.guarantee is not DeliveryGuarantee.EXACTLY_ONCE:
        if prefix is not None:
            logger.warning(
                "transactional id prefix %r has no effect: the delivery guarantee is %s", prefix, sink.guarantee.name
            )
        return
    if not prefix:
        raise ConfigurationError(
            "EXACTLY_ONCE needs a transactional id prefix: KafkaSink.builder().set_transactional_id_prefix('my-job'). "
            "It must be this job's alone on the cluster, and must not change between restarts."
        )
    same = [
        uid
        for uid, other in job.sinks.items()
        if getattr(other, "transactional_id_prefix", None) == prefix
        and getattr(other, "guarantee", None) is DeliveryGuarantee.EXACTLY_ONCE
    ]
    if len(same) > 1:
        raise ConfigurationError(
            f"{len(same)} sinks of this job use the transactional id prefix {prefix!r}. Give each its own, or they "
            "fence each other."
        )
    if not job.checkpointing_enabled and not job.bounded:
        raise ConfigurationError(
            "EXACTLY_ONCE output becomes visible with checkpoints, and checkpointing is off: call "
            "env.enable_checkpointing(1000), or set execution.checkpointing.interval."
        )
