"""Names that PyFlink 1.x had and 2.x removed or moved, and that public scripts still use."""

from __future__ import annotations

from typing import Final, NamedTuple


class OldSpelling(NamedTuple):
    """What became of such a name."""

    home: str | None  # the qualified name that answers for it; None: a module of ours has it under the old name
    note: str


_FORMATS_MOVED: Final = "moved in PyFlink 1.16"
_BACKENDS_MERGED: Final = "removed in Flink 2.0: set state.backend.type and execution.checkpointing.dir instead"

OLD_SPELLINGS: Final[dict[str, OldSpelling]] = {
    "common.serialization.AvroRowDeserializationSchema": OldSpelling(
        "datastream.formats.avro.AvroRowDeserializationSchema", _FORMATS_MOVED
    ),
    "common.serialization.AvroRowSerializationSchema": OldSpelling(
        "datastream.formats.avro.AvroRowSerializationSchema", _FORMATS_MOVED
    ),
    "common.serialization.CsvRowDeserializationSchema": OldSpelling(
        "datastream.formats.csv.CsvRowDeserializationSchema", _FORMATS_MOVED
    ),
    "common.serialization.CsvRowSerializationSchema": OldSpelling(
        "datastream.formats.csv.CsvRowSerializationSchema", _FORMATS_MOVED
    ),
    "common.serialization.JsonRowDeserializationSchema": OldSpelling(
        "datastream.formats.json.JsonRowDeserializationSchema", _FORMATS_MOVED
    ),
    "common.serialization.JsonRowSerializationSchema": OldSpelling(
        "datastream.formats.json.JsonRowSerializationSchema", _FORMATS_MOVED
    ),
    "datastream.ExternalizedCheckpointCleanup": OldSpelling(
        "datastream.ExternalizedCheckpointRetention", "renamed in Flink 2.0"
    ),
    "datastream.checkpoint_config.ExternalizedCheckpointCleanup": OldSpelling(
        "datastream.ExternalizedCheckpointRetention", "renamed in Flink 2.0"
    ),
    "datastream.TimeCharacteristic": OldSpelling(
        None, "removed in Flink 2.0: streams are in event time, choose the time by the window assigner"
    ),
    "datastream.time_characteristic.TimeCharacteristic": OldSpelling(
        "datastream.TimeCharacteristic", "removed in Flink 2.0, as its module"
    ),
    "datastream.FsStateBackend": OldSpelling(None, _BACKENDS_MERGED),
    "datastream.MemoryStateBackend": OldSpelling(None, _BACKENDS_MERGED),
    "datastream.RocksDBStateBackend": OldSpelling(None, _BACKENDS_MERGED),
    "datastream.state_backend.FsStateBackend": OldSpelling("datastream.FsStateBackend", _BACKENDS_MERGED),
    "datastream.state_backend.MemoryStateBackend": OldSpelling("datastream.MemoryStateBackend", _BACKENDS_MERGED),
    "datastream.state_backend.RocksDBStateBackend": OldSpelling("datastream.RocksDBStateBackend", _BACKENDS_MERGED),
}

_BY_KEY: Final = "removed in Flink 2.0: set"

#: Members that classes of PyFlink 1.x had: class and member → what became of it.
OLD_MEMBERS: Final[dict[str, str]] = {
    "StreamExecutionEnvironment.set_state_backend": f"{_BY_KEY} state.backend.type in the configuration",
    "StreamExecutionEnvironment.get_state_backend": f"{_BY_KEY} state.backend.type in the configuration",
    "StreamExecutionEnvironment.set_restart_strategy": (
        f"{_BY_KEY} restart-strategy.type and its keys in the configuration"
    ),
    "StreamExecutionEnvironment.get_restart_strategy": (
        f"{_BY_KEY} restart-strategy.type and its keys in the configuration"
    ),
    "StreamExecutionEnvironment.set_stream_time_characteristic": (
        "removed in Flink 2.0: window assigners choose the time; leave the call out"
    ),
    "StreamExecutionEnvironment.get_stream_time_characteristic": (
        "removed in Flink 2.0: window assigners choose the time; leave the call out"
    ),
    "StreamExecutionEnvironment.set_number_of_execution_retries": (
        f"{_BY_KEY} restart-strategy.type to fixed-delay in the configuration"
    ),
    "StreamExecutionEnvironment.get_number_of_execution_retries": (
        f"{_BY_KEY} restart-strategy.type to fixed-delay in the configuration"
    ),
    "StreamExecutionEnvironment.add_default_kryo_serializer": (
        "removed in Flink 2.0: give streams a type with output_type or type_info"
    ),
    "StreamExecutionEnvironment.register_type": (
        "removed in Flink 2.0: give streams a type with output_type or type_info"
    ),
    "StreamExecutionEnvironment.register_type_with_kryo_serializer": (
        "removed in Flink 2.0: give streams a type with output_type or type_info"
    ),
    "StreamExecutionEnvironment.read_text_file": (
        "removed in Flink 2.0: use from_source() with a FileSource of StreamFormat.text_line_format()"
    ),
    "CheckpointConfig.set_checkpoint_storage": f"{_BY_KEY} execution.checkpointing.dir in the configuration",
    "CheckpointConfig.get_checkpoint_storage": f"{_BY_KEY} execution.checkpointing.dir in the configuration",
    "CheckpointConfig.set_checkpoint_storage_dir": f"{_BY_KEY} execution.checkpointing.dir in the configuration",
    "CheckpointConfig.enable_externalized_checkpoints": (
        "removed in Flink 2.0: use set_externalized_checkpoint_retention()"
    ),
    "CheckpointConfig.set_externalized_checkpoint_cleanup": (
        "removed in Flink 2.0: use set_externalized_checkpoint_retention()"
    ),
    "CheckpointConfig.get_externalized_checkpoint_cleanup": (
        "removed in Flink 2.0: use get_externalized_checkpoint_retention()"
    ),
    "CheckpointConfig.set_force_checkpointing": "removed in Flink 2.0: leave the call out",
}
