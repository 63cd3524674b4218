"""The constants of enumerations, with the numbers that PyFlink gives them."""

from __future__ import annotations

from wiesel.common import InputDependencyConstraint, JobStatus, RowKind
from wiesel.core.async_functions import AsyncFunctionDescriptor
from wiesel.core.state_ttl import StateTtlConfig
from wiesel.datastream import (
    CheckpointingMode,
    ExternalizedCheckpointRetention,
    KeyedStream,
    RuntimeExecutionMode,
    TimeCharacteristic,
    TimeDomain,
    TriggerResult,
)
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import KafkaOffsetResetStrategy, Semantic


def test_row_kinds() -> None:
    assert [RowKind.INSERT.value, RowKind.UPDATE_BEFORE.value, RowKind.UPDATE_AFTER.value, RowKind.DELETE.value] == [
        0,
        1,
        2,
        3,
    ]


def test_job_states() -> None:
    assert JobStatus.CREATED.name == "CREATED"
    assert JobStatus.RUNNING.name == "RUNNING"
    assert JobStatus.FAILING.name == "FAILING"
    assert JobStatus.CANCELLING.name == "CANCELLING"
    assert JobStatus.RESTARTING.name == "RESTARTING"
    assert JobStatus.RECONCILING.name == "RECONCILING"


def test_checkpointing_and_execution_modes() -> None:
    assert (CheckpointingMode.EXACTLY_ONCE.value, CheckpointingMode.AT_LEAST_ONCE.value) == (0, 1)
    assert RuntimeExecutionMode.STREAMING.value == 0
    assert RuntimeExecutionMode.BATCH.value == 1
    assert RuntimeExecutionMode.AUTOMATIC.value == 2
    assert ExternalizedCheckpointRetention.DELETE_ON_CANCELLATION.value == 0
    assert ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION.value == 1
    assert ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS.value == 2
    assert TimeCharacteristic.EventTime.value == 2


def test_time_domains_and_trigger_results() -> None:
    assert (TimeDomain.EVENT_TIME.value, TimeDomain.PROCESSING_TIME.value) == (0, 1)
    assert TriggerResult.PURGE.is_purge()
    assert not TriggerResult.PURGE.is_fire()
    assert TriggerResult.CONTINUE.value == (False, False)


def test_kinds_of_aggregation() -> None:
    kinds = KeyedStream.AccumulateType
    assert (kinds.MIN.value, kinds.MAX.value, kinds.MIN_BY.value) == (1, 2, 3)
    assert (kinds.MAX_BY.value, kinds.SUM.value) == (4, 5)


def test_guarantees_and_offset_resets() -> None:
    assert DeliveryGuarantee.NONE.name == "NONE"
    assert DeliveryGuarantee.AT_LEAST_ONCE.name == "AT_LEAST_ONCE"
    assert DeliveryGuarantee.EXACTLY_ONCE.name == "EXACTLY_ONCE"
    assert (Semantic.EXACTLY_ONCE.value, Semantic.AT_LEAST_ONCE.value, Semantic.NONE.value) == (0, 1, 2)
    assert KafkaOffsetResetStrategy.LATEST.name == "LATEST"
    assert KafkaOffsetResetStrategy.EARLIEST.name == "EARLIEST"
    assert KafkaOffsetResetStrategy.NONE.name == "NONE"


def test_orders_of_async_results() -> None:
    assert AsyncFunctionDescriptor.OutputMode.ORDERED.value == 0
    assert AsyncFunctionDescriptor.OutputMode.UNORDERED.value == 1


def test_settings_of_the_time_to_live() -> None:
    update, show = StateTtlConfig.UpdateType, StateTtlConfig.StateVisibility
    assert (update.Disabled.value, update.OnCreateAndWrite.value, update.OnReadAndWrite.value) == (0, 1, 2)
    assert (show.ReturnExpiredIfNotCleanedUp.value, show.NeverReturnExpired.value) == (0, 1)
    assert StateTtlConfig.TtlTimeCharacteristic.ProcessingTime.value == 0
    strategies = StateTtlConfig.CleanupStrategies.Strategies
    assert strategies.FULL_STATE_SCAN_SNAPSHOT.value == 0
    assert strategies.INCREMENTAL_CLEANUP.value == 1
    assert strategies.ROCKSDB_COMPACTION_FILTER.value == 2
    assert isinstance(
        StateTtlConfig.CleanupStrategies.EMPTY_STRATEGY, StateTtlConfig.CleanupStrategies.EmptyCleanupStrategy
    )


def test_constraints_of_inputs() -> None:
    assert (InputDependencyConstraint.ANY.value, InputDependencyConstraint.ALL.value) == (0, 1)
