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
