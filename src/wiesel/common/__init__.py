"""The API of pyflink.common: types, rows, time, watermark strategies, schemas, configuration, job clients."""

from typing import TYPE_CHECKING, Any

from wiesel.common.completable_future import CompletableFuture
from wiesel.common.config_options import ConfigOption, ConfigOptions
from wiesel.common.configuration import Configuration
from wiesel.common.execution_config import ExecutionConfig
from wiesel.common.input_dependency_constraint import InputDependencyConstraint
from wiesel.common.job_client import JobClient
from wiesel.common.job_execution_result import JobExecutionResult
from wiesel.common.job_id import JobID
from wiesel.common.job_status import JobStatus
from wiesel.common.restart_strategy import RestartStrategies, RestartStrategyConfiguration
from wiesel.common.serialization import (
    ByteArraySchema,
    DeserializationSchema,
    Encoder,
    SerializationSchema,
    SimpleStringSchema,
)
from wiesel.common.serializer import TypeSerializer
from wiesel.common.time import Duration, Instant, Time
from wiesel.common.typeinfo import TypeInformation, Types
from wiesel.common.types import Row, RowKind
from wiesel.common.watermark_strategy import AssignerWithPeriodicWatermarksWrapper, WatermarkStrategy

if TYPE_CHECKING:
    from wiesel.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema

__all__ = [
    "AssignerWithPeriodicWatermarksWrapper",
    "ByteArraySchema",
    "CompletableFuture",
    "ConfigOption",
    "ConfigOptions",
    "Configuration",
    "DeserializationSchema",
    "Duration",
    "Encoder",
    "ExecutionConfig",
    "InputDependencyConstraint",
    "Instant",
    "JobClient",
    "JobExecutionResult",
    "JobID",
    "JobStatus",
    "JsonRowDeserializationSchema",
    "JsonRowSerializationSchema",
    "RestartStrategies",
    "RestartStrategyConfiguration",
    "Row",
    "RowKind",
    "SerializationSchema",
    "SimpleStringSchema",
    "Time",
    "TypeInformation",
    "TypeSerializer",
    "Types",
    "WatermarkStrategy",
]


def __getattr__(name: str) -> Any:
    # PyFlink still offers its JSON schemas here too; nobody else pays for the import.
    if name in ("JsonRowDeserializationSchema", "JsonRowSerializationSchema"):
        from wiesel.formats import json

        return getattr(json, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
