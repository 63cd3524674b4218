"""Which public names PyFlink 2.3 has, module for module: the index that the import alias reads.

It holds the names of the manifest (``api-2.3.json``, whose members and parameters are read only when something asks for
them), and those of the modules behind its packages, which scripts import from just as well. Module names are given
without the leading ``pyflink.``. A test keeps index and manifest equal.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from wiesel.compat.old_spellings import OLD_SPELLINGS

PYFLINK_VERSION: Final = "2.3.0"

_NAMES: Final[dict[str, str]] = {
    "": "",
    "version": "__version__",
    "common": """
        AssignerWithPeriodicWatermarksWrapper ByteArraySchema CompletableFuture ConfigOption ConfigOptions
        Configuration DeserializationSchema Duration Encoder ExecutionConfig InputDependencyConstraint Instant
        JobClient JobExecutionResult JobID JobStatus RestartStrategies RestartStrategyConfiguration Row RowKind
        SerializationSchema SimpleStringSchema Time TypeInformation TypeSerializer Types WatermarkStrategy
    """,
    "common.completable_future": "CompletableFuture",
    "common.config_options": "ConfigOption ConfigOptions",
    "common.configuration": "Configuration add_jars_to_context_class_loader get_gateway",
    "common.execution_config": "ExecutionConfig",
    "common.input_dependency_constraint": "InputDependencyConstraint",
    "common.io": "InputFormat",
    "common.job_client": "JobClient",
    "common.job_execution_result": "JobExecutionResult",
    "common.job_id": "JobID",
    "common.job_status": "JobStatus",
    "common.restart_strategy": "RestartStrategies RestartStrategyConfiguration",
    "common.serialization": """
        BulkWriterFactory ByteArraySchema DeserializationSchema Encoder RowFieldExtractorSchema
        SerializationSchema SimpleStringSchema
    """,
    "common.serializer": "TypeSerializer",
    "common.time": "Duration Instant Time",
    "common.typeinfo": """
        BasicArrayTypeInfo BasicTypeInfo ExternalTypeInfo FractionalTypeInfo InstantTypeInfo IntegerTypeInfo
        ListTypeInfo LocalTimeTypeInfo MapTypeInfo NumericTypeInfo ObjectArrayTypeInfo PickledBytesTypeInfo
        PrimitiveArrayTypeInfo RowTypeInfo SqlTimeTypeInfo TupleTypeInfo TypeInformation Types
    """,
    "common.types": "Row RowKind",
    "common.watermark_strategy": """
        AssignerWithPeriodicWatermarksWrapper Duration TimestampAssigner WatermarkStrategy get_gateway
    """,
    "datastream": """
        AggregateFunction AsyncDataStream AsyncFunction AsyncRetryPredicate AsyncRetryStrategy
        BroadcastConnectedStream BroadcastProcessFunction BroadcastStream CheckpointConfig CheckpointStorage
        CheckpointingMode CoFlatMapFunction CoMapFunction CoProcessFunction ConnectedStreams CountWindow
        CustomCheckpointStorage CustomStateBackend DataStream DataStreamSink EmbeddedRocksDBStateBackend
        ExternalizedCheckpointRetention FileSystemCheckpointStorage FilterFunction FlatMapFunction GlobalWindow
        HashMapStateBackend JobManagerCheckpointStorage KeySelector KeyedBroadcastProcessFunction
        KeyedCoProcessFunction KeyedProcessFunction KeyedStream MapFunction MemorySize MergingWindowAssigner
        OutputTag Partitioner PredefinedOptions ProcessFunction ProcessWindowFunction ReduceFunction
        RuntimeContext RuntimeExecutionMode SinkFunction SlotSharingGroup SourceFunction StateBackend
        StreamExecutionEnvironment TimeDomain TimeWindow TimerService Trigger TriggerResult Window
        WindowAssigner WindowFunction WindowedStream
    """,
    "datastream.async_data_stream": "AsyncDataStream",
    "datastream.async_retry_predicates": "empty_result_predicate exception_type_predicate has_exception_predicate",
    "datastream.async_retry_strategies": """
        ExponentialBackoffDelayRetryStrategy FixedDelayRetryStrategy NO_RETRY_STRATEGY NoRetryStrategy
        RetryPredicate
    """,
    "datastream.checkpoint_config": "CheckpointConfig",
    "datastream.checkpoint_storage": """
        CheckpointStorage CustomCheckpointStorage FileSystemCheckpointStorage JobManagerCheckpointStorage
    """,
    "datastream.checkpointing_mode": "CheckpointingMode",
    "datastream.connectors": "DeliveryGuarantee Sink Source",
    "datastream.connectors.base": """
        DeliveryGuarantee JavaFunctionWrapper Sink Source StreamTransformer SupportsPreprocessing get_gateway
    """,
    "datastream.connectors.cassandra": """
        CassandraCommitter CassandraFailureHandler CassandraSink CassandraSinkBuilder ClusterBuilder
        ConsistencyLevel MapperOptions
    """,
    "datastream.connectors.dynamic_kafka": """
        DynamicKafkaSource DynamicKafkaSourceBuilder KafkaMetadataService KafkaRecordDeserializationSchema
        KafkaStreamSetSubscriber KafkaStreamSubscriber SingleClusterTopicMetadataService StreamPatternSubscriber
    """,
    "datastream.connectors.elasticsearch": """
        Elasticsearch6SinkBuilder Elasticsearch7SinkBuilder ElasticsearchEmitter ElasticsearchSink
        FlushBackoffType
    """,
    "datastream.connectors.file_system": """
        BucketAssigner BulkFormat FileCompactStrategy FileCompactor FileEnumeratorProvider FileSink FileSource
        FileSourceBuilder FileSplitAssignerProvider OutputFileConfig RollingPolicy StreamFormat
        StreamingFileSink
    """,
    "datastream.connectors.hybrid_source": "HybridSource HybridSourceBuilder",
    "datastream.connectors.jdbc": "JdbcConnectionOptions JdbcExecutionOptions JdbcSink",
    "datastream.connectors.kafka": """
        FlinkKafkaConsumer FlinkKafkaProducer KafkaOffsetResetStrategy KafkaOffsetsInitializer
        KafkaRecordSerializationSchema KafkaRecordSerializationSchemaBuilder KafkaSink KafkaSinkBuilder
        KafkaSource KafkaSourceBuilder KafkaTopicPartition KafkaTopicSelector Semantic
    """,
    "datastream.connectors.kinesis": """
        Compression FlinkKinesisConsumer KinesisFirehoseSink KinesisFirehoseSinkBuilder KinesisStreamsSink
        KinesisStreamsSinkBuilder PartitionKeyGenerator
    """,
    "datastream.connectors.number_seq": "NumberSequenceSource",
    "datastream.connectors.pulsar": """
        PulsarSink PulsarSinkBuilder PulsarSource PulsarSourceBuilder StartCursor StopCursor TopicRoutingMode
    """,
    "datastream.connectors.rabbitmq": "RMQConnectionConfig RMQSink RMQSource",
    "datastream.data_stream": """
        AllWindowedStream BroadcastConnectedStream BroadcastStream CachedDataStream ConnectedStreams DataStream
        DataStreamSink KeyedStream WindowedStream
    """,
    "datastream.execution_mode": "RuntimeExecutionMode",
    "datastream.externalized_checkpoint_retention": "ExternalizedCheckpointRetention",
    "datastream.formats": "",
    "datastream.formats.avro": """
        AvroBulkWriters AvroInputFormat AvroRowDeserializationSchema AvroRowSerializationSchema AvroSchema
        GenericRecordAvroTypeInfo
    """,
    "datastream.formats.csv": """
        CsvBulkWriters CsvReaderFormat CsvRowDeserializationSchema CsvRowSerializationSchema CsvSchema
        CsvSchemaBuilder
    """,
    "datastream.formats.json": "JsonRowDeserializationSchema JsonRowSerializationSchema",
    "datastream.formats.orc": "OrcBulkWriters",
    "datastream.formats.parquet": """
        AvroParquetReaders AvroParquetWriters ParquetBulkWriters ParquetColumnarRowInputFormat
    """,
    "datastream.functions": """
        AggregateFunction AllWindowFunction AsyncFunction AsyncFunctionDescriptor AsyncRetryPredicate
        AsyncRetryStrategy BaseBroadcastProcessFunction BroadcastProcessFunction CoFlatMapFunction CoMapFunction
        CoProcessFunction FilterFunction FlatMapFunction KeySelector KeyedBroadcastProcessFunction
        KeyedCoProcessFunction KeyedProcessFunction MapFunction Partitioner ProcessAllWindowFunction
        ProcessFunction ProcessWindowFunction ReduceFunction RuntimeContext SinkFunction SourceFunction
        TimerService WindowFunction
    """,
    "datastream.output_tag": "OutputTag",
    "datastream.slot_sharing_group": "MemorySize SlotSharingGroup",
    "datastream.state": """
        AggregatingState AggregatingStateDescriptor BroadcastState ListState ListStateDescriptor MapState
        MapStateDescriptor OperatorStateStore ReadOnlyBroadcastState ReducingState ReducingStateDescriptor
        StateTtlConfig ValueState ValueStateDescriptor
    """,
    "datastream.state_backend": """
        CustomStateBackend EmbeddedRocksDBStateBackend HashMapStateBackend PredefinedOptions StateBackend
    """,
    "datastream.stream_execution_environment": "StreamExecutionEnvironment",
    "datastream.time_domain": "TimeDomain",
    "datastream.timerservice": "TimerService",
    "datastream.window": """
        ContinuousEventTimeTrigger ContinuousProcessingTimeTrigger CountSlidingWindowAssigner CountTrigger
        CountTumblingWindowAssigner CountWindow CountWindowSerializer DynamicEventTimeSessionWindows
        DynamicProcessingTimeSessionWindows EventTimeSessionWindows EventTimeTrigger GlobalWindow
        GlobalWindowSerializer GlobalWindows MergingWindowAssigner NeverTrigger ProcessingTimeSessionWindows
        ProcessingTimeTrigger PurgingTrigger SessionWindowTimeGapExtractor SlidingEventTimeWindows
        SlidingProcessingTimeWindows TimeWindow TimeWindowSerializer Trigger TriggerResult
        TumblingEventTimeWindows TumblingProcessingTimeWindows Window WindowAssigner
    """,
    "metrics": "Counter Distribution Meter Metric MetricGroup",
    "metrics.metricbase": "Counter Distribution Meter Metric MetricGroup",
    "java_gateway": "get_gateway",
    "util": "",
    "util.exceptions": "JavaException TableException",
    "util.java_utils": """
        add_jars_to_context_class_loader get_j_env_configuration invoke_method is_instance_of load_java_class
        to_jarray
    """,
    "table": """
        AggregateFunction CatalogBaseTable ChangelogMode DataTypes EnvironmentSettings ExplainDetail Expression
        FormatDescriptor FunctionContext GroupWindowedTable GroupedTable Module ModuleEntry OverWindowedTable
        ResultKind Row RowKind ScalarFunction Schema SqlDialect StatementSet StreamTableEnvironment Table
        TableAggregateFunction TableConfig TableDescriptor TableEnvironment TableFunction TablePipeline
        TableResult TableSchema UserDefinedType WindowGroupedTable
    """,
    "table.catalog": "Catalog CatalogBaseTable CatalogDatabase HiveCatalog JdbcCatalog ObjectPath",
    "table.changelog_mode": "ChangelogMode",
    "table.data_view": "DataView ListView MapView",
    "table.environment_settings": "EnvironmentSettings",
    "table.expression": "Expression TimePointUnit",
    "table.expressions": "call call_sql coalesce col concat current_timestamp if_then_else lit row row_interval",
    "table.schema": "Schema",
    "table.statement_set": "StatementSet",
    "table.table": "GroupedTable Table",
    "table.table_config": "TableConfig",
    "table.table_descriptor": "FormatDescriptor TableDescriptor",
    "table.table_environment": "StreamTableEnvironment TableEnvironment",
    "table.table_result": "TableResult",
    "table.types": "DataType DataTypes Row RowField RowType",
    "table.udf": """
        AggregateFunction AsyncScalarFunction FunctionContext ScalarFunction TableAggregateFunction
        TableFunction udaf udf udtaf udtf
    """,
    "table.window": "Over Session Slide Tumble",
}

# pyflink.datastream.connectors also shows the classes of its modules, outside of __all__, as before 1.16.
_CONNECTORS: Final = "datastream.connectors"
_SHOWN_BY_CONNECTORS: Final[dict[str, str]] = {
    "dynamic_kafka": "DynamicKafkaSource DynamicKafkaSourceBuilder",
    "file_system": """
        BucketAssigner FileEnumeratorProvider FileSink FileSource FileSourceBuilder FileSplitAssignerProvider
        OutputFileConfig RollingPolicy StreamFormat StreamingFileSink
    """,
    "jdbc": "JdbcConnectionOptions JdbcExecutionOptions JdbcSink",
    "kafka": "FlinkKafkaConsumer FlinkKafkaProducer KafkaSource Semantic",
    "number_seq": "NumberSequenceSource",
    "pulsar": "PulsarSource PulsarSourceBuilder StartCursor StopCursor",
    "rabbitmq": "RMQConnectionConfig RMQSink RMQSource",
}

# Names that modules of PyFlink's hold without listing them in __all__, because they import them or forgot them there;
# scripts import them from all over, PyFlink's own examples too.
_ALSO_HELD: Final[dict[str, str]] = {
    "common.job_client": "CompletableFuture JobExecutionResult JobID JobStatus",
    "common.job_execution_result": "JobID",
    "common.serialization": "RowDataBulkWriterFactory",
    "common.serializer": "VoidNamespaceSerializer",
    "common.typeinfo": "BasicType DateTypeInfo TimeTypeInfo TimestampTypeInfo",
    "datastream.async_data_stream": """
        AsyncFunction AsyncFunctionDescriptor AsyncRetryStrategy DataStream Time TypeInformation
    """,
    "datastream.async_retry_strategies": "AsyncRetryPredicate AsyncRetryStrategy",
    "datastream.checkpoint_config": "CheckpointingMode Duration ExternalizedCheckpointRetention",
    "datastream.connectors.file_system": """
        BulkWriterFactory DefaultRollingPolicy Duration Encoder OnCheckpointRollingPolicy Sink SinkFunction Source
        StreamTransformer SupportsPreprocessing
    """,
    "datastream.connectors.hybrid_source": "Source",
    "datastream.connectors.jdbc": "RowTypeInfo SinkFunction",
    "datastream.connectors.kafka": """
        DeliveryGuarantee DeserializationSchema Row SerializationSchema Sink SinkFunction Source SourceFunction
        StreamTransformer SupportsPreprocessing TypeInformation Types
    """,
    "datastream.connectors.number_seq": "Source",
    "datastream.data_stream": """
        AggregateFunction AggregatingStateDescriptor AllWindowFunction AsyncFunctionDescriptor
        BroadcastProcessFunction CoFlatMapFunction CoMapFunction CoProcessFunction CountSlidingWindowAssigner
        CountTumblingWindowAssigner CountWindowSerializer ExecutionConfig FilterFunction FlatMapFunction
        GlobalWindowSerializer KeySelector KeyedBroadcastProcessFunction KeyedCoProcessFunction KeyedProcessFunction
        ListStateDescriptor MapFunction MapStateDescriptor MergingWindowAssigner OutputTag Partitioner
        ProcessAllWindowFunction ProcessFunction ProcessWindowFunction ReduceFunction ReducingState
        ReducingStateDescriptor Row RowTypeInfo RuntimeContext Sink SinkFunction SlotSharingGroup
        TimeWindowSerializer TimestampAssigner Trigger TypeInformation Types WatermarkStrategy WindowAssigner
        WindowFunction
    """,
    "datastream.formats.avro": """
        BulkWriterFactory DeserializationSchema InputFormat SerializationSchema TypeInformation
    """,
    "datastream.formats.csv": """
        BulkWriterFactory DeserializationSchema SerializationSchema StreamFormat TypeInformation
    """,
    "datastream.formats.json": "DeserializationSchema SerializationSchema TypeInformation",
    "datastream.formats.orc": "BulkWriterFactory Configuration",
    "datastream.formats.parquet": "AvroSchema BulkFormat BulkWriterFactory Configuration StreamFormat",
    "datastream.functions": """
        AggregatingState AggregatingStateDescriptor BroadcastState Function JavaFunctionWrapper ListState
        ListStateDescriptor MapState MapStateDescriptor MetricGroup ReadOnlyBroadcastState ReducingState
        ReducingStateDescriptor TimeDomain ValueState ValueStateDescriptor
    """,
    "datastream.output_tag": "RowTypeInfo TypeInformation Types",
    "datastream.state": "Duration State StateDescriptor Time TypeInformation Types",
    "datastream.stream_execution_environment": """
        CheckpointConfig CheckpointingMode Configuration DataStream ExecutionConfig InputFormat JobClient
        JobExecutionResult RuntimeExecutionMode SlotSharingGroup Source SourceFunction TypeInformation Types
        WatermarkStrategy
    """,
    "datastream.window": """
        MetricGroup OutputTag ReduceFunction ReducingState ReducingStateDescriptor RuntimeContext Time
        TypeSerializer Types ValueStateDescriptor
    """,
}


def is_module(module: str) -> bool:
    """Whether ``pyflink.<module>`` is a module of PyFlink; the package itself is the empty name."""
    return module in _NAMES or module in _old_only_modules()


@cache
def names_of(module: str) -> frozenset[str]:
    """What ``from pyflink.<module> import *`` gives."""
    return frozenset(_NAMES.get(module, "").split())


@cache
def homes_of(module: str) -> dict[str, str]:
    """Names that ``pyflink.<module>`` shows but that live in another module: name to qualified name."""
    homes = {
        old.rpartition(".")[2]: spelling.home
        for old, spelling in OLD_SPELLINGS.items()
        if spelling.home is not None and old.rpartition(".")[0] == module
    }
    if module == _CONNECTORS:
        for home, names in _SHOWN_BY_CONNECTORS.items():
            homes.update((name, f"{_CONNECTORS}.{home}.{name}") for name in names.split())
    for name in _also_held(module):
        elsewhere = [other for other in _NAMES if name in names_of(other) and not other.startswith("table")]
        if elsewhere:
            homes[name] = f"{min(elsewhere, key=len)}.{name}"
    return homes


@cache
def _also_held(module: str) -> frozenset[str]:
    return frozenset(_ALSO_HELD.get(module, "").split())


def has_name(module: str, name: str) -> bool:
    """Whether PyFlink 2.3, or 1.x before it, has ``name`` in ``pyflink.<module>``."""
    qualified = f"{module}.{name}"
    return (
        name in names_of(module) or name in homes_of(module) or name in _also_held(module) or qualified in OLD_SPELLINGS
    )


def shown_by(module: str) -> frozenset[str]:
    """Every name that :func:`has_name` knows in a module."""
    old = {name.rpartition(".")[2] for name in OLD_SPELLINGS if name.rpartition(".")[0] == module}
    return names_of(module) | homes_of(module).keys() | _also_held(module) | old


def all_modules() -> list[str]:
    """Every module of the index, parents first."""
    return sorted({*_NAMES, *_old_only_modules()})


def children_of(module: str) -> list[str]:
    """Last names of the modules directly inside ``pyflink.<module>``."""
    return [name.rpartition(".")[2] for name in all_modules() if name and name.rpartition(".")[0] == module]


@cache
def _old_only_modules() -> frozenset[str]:
    """Modules that only PyFlink 1.x had."""
    return frozenset(old.rpartition(".")[0] for old in OLD_SPELLINGS) - _NAMES.keys()
