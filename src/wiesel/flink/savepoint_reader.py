"""Tells where Kafka sources stand in a savepoint of Flink; started by `wiesel.flink.savepoints`, with its URI.

It runs with the interpreter of PyFlink's environment, where Wiesel is not installed: only Python's library and pyflink
are imported here. Flink's own classes read the files, so every version and compression that Flink reads is read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

#: Of Flink's SourceOperator, for whatever source: its reader's splits.
_STATE = "SourceReaderState"
#: What is below it in a Kafka split is no offset: earliest, latest, and not known yet.
_FIRST_OFFSET = 0


def positions(savepoint: str, jvm: Any) -> Iterator[tuple[str, int, int]]:
    """Yield topic, partition and next offset for each partition of each Kafka source."""
    flink = jvm.org.apache.flink
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    access = flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess
    location = access.resolveCheckpointPointer(savepoint)
    stream = jvm.java.io.DataInputStream(location.getMetadataHandle().openInputStream())
    try:
        pointer = location.getExternalPointer()
        metadata = flink.runtime.checkpoint.Checkpoints.loadCheckpointMetadata(stream, loader, pointer)
    finally:
        stream.close()
    # py4j iterates over Java's iterators, and not over every collection.
    for operator in metadata.getOperatorStates().iterator():
        for subtask in operator.getStates().iterator():
            for handle in subtask.getManagedOperatorState().iterator():
                if handle.getStateNameToPartitionOffsets().containsKey(_STATE):
                    yield from _positions_of(handle, jvm, loader)


def _positions_of(handle: Any, jvm: Any, loader: Any) -> Iterator[tuple[str, int, int]]:
    flink = jvm.org.apache.flink
    handles = jvm.java.util.ArrayList()
    handles.add(handle)
    registry = flink.core.fs.CloseableRegistry()
    builder = flink.runtime.state.DefaultOperatorStateBackendBuilder(
        loader, flink.api.common.ExecutionConfig(), False, handles, registry
    )
    backend = builder.build()
    try:
        bytes_serializer = flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer.INSTANCE
        descriptor = flink.api.common.state.ListStateDescriptor(_STATE, bytes_serializer)
        splits = flink.connector.kafka.source.split.KafkaPartitionSplitSerializer()
        for entry in backend.getListState(descriptor).get().iterator():
            split = _kafka_split(bytes(entry), splits)
            if split is not None and split.getStartingOffset() >= _FIRST_OFFSET:
                yield split.getTopic(), split.getPartition(), split.getStartingOffset()
    finally:
        backend.dispose()
        registry.close()


def _kafka_split(entry: bytes, serializer: Any) -> Any:
    """The split in an entry; None if it is another connector's, which Kafka's would not write in the same bytes."""
    version, data = int.from_bytes(entry[:4], "big"), entry[8:]
    try:
        split = serializer.deserialize(version, data)
        return split if version == serializer.getVersion() and bytes(serializer.serialize(split)) == data else None
    except _java_error():
        return None


def _java_error() -> Any:
    # PyFlink's own dependency, so none of ours.
    return import_module("py4j.protocol").Py4JJavaError


def main(savepoint: str) -> int:
    """Print the positions as JSON, a line each; what went wrong as the last line of stderr."""
    from pyflink.java_gateway import get_gateway

    try:
        for position in positions(savepoint, get_gateway().jvm):
            sys.stdout.write(f"{json.dumps(position)}\n")
    except _java_error() as error:
        sys.stderr.write(f"{error.java_exception}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
