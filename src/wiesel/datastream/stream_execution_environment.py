"""``StreamExecutionEnvironment``: where a program is built and started (mirrors PyFlink's class)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from wiesel.core import launch
from wiesel.core.arguments import expect, expect_attribute, expect_type
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError, UnsupportedError
from wiesel.core.key_groups import UPPER_BOUND_MAX_PARALLELISM
from wiesel.core.operator_specs import SinkSpec, SourceSpec
from wiesel.core.options import (
    ConfigurationReport,
    catalog,
    check_configuration,
    expand_variables,
    is_set,
    load_config_file,
    optional_value_of,
    value_of,
)
from wiesel.core.side_sinks import SideSink, SourceWithSideSinks
from wiesel.core.types import TypeInformation, Types
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.datastream.checkpoint_config import CheckpointConfig
from wiesel.datastream.data_stream import DataStream, require_buffer_timeout
from wiesel.datastream.modes import CheckpointingMode, RuntimeExecutionMode
from wiesel.datastream.old_settings import OldEnvironmentSettings
from wiesel.graph.transformations import Pipeline, Upstream

if TYPE_CHECKING:
    from wiesel.cluster.handle import LocalJobHandle
    from wiesel.cluster.options import JobOptions
    from wiesel.common.execution_config import ExecutionConfig
    from wiesel.common.job_client import JobClient
    from wiesel.core.job import JobExecutionResult
    from wiesel.graph.job_graph import JobGraph
    from wiesel.graph.stream_graph import StreamGraph

__all__ = ["StreamExecutionEnvironment"]

_log = logging.getLogger("wiesel.datastream")
_CHANGELOG = "state.changelog.enabled"
_DEFAULT_JOB_NAME = "Flink Streaming Job"


class StreamExecutionEnvironment(OldEnvironmentSettings):
    """Builds one program at a time and runs it in this process.

    Settings are read in Flink's order: what the script sets wins over the command line (``-p``, ``-c``), that over the
    configuration file, that over the defaults. The default parallelism is the number of processors.
    """

    _executions = 0

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.pipeline = Pipeline()
        self._slot_sharing_groups: dict[str, Any] = {}

    @staticmethod
    def get_execution_environment(configuration: Configuration | None = None) -> StreamExecutionEnvironment:
        """Return a new environment with the launch's settings and those of ``configuration``."""
        options = launch.current()
        merged = Configuration()
        if options.config_file is not None:
            merged.add_all(load_config_file(options.config_file))
        for key, value in options.configuration.items():
            merged.set_string(key, expand_variables(value, f"-c {key}"))
        if options.parallelism is not None:
            merged.set_string(catalog.PARALLELISM.key, str(options.parallelism))
        if configuration is not None:
            merged.add_all(configuration)
        _report(check_configuration(merged))
        return StreamExecutionEnvironment(merged)

    # ------------------------------------------------------------------------------------------- settings

    def configure(self, configuration: Configuration) -> None:
        """Take over settings."""
        self._configuration.add_all(configuration)
        _report(check_configuration(self._configuration))

    def get_config(self) -> ExecutionConfig:
        """Return the execution settings."""
        from wiesel.common.execution_config import ExecutionConfig

        return ExecutionConfig(self._configuration)

    def get_parallelism(self) -> int:
        """Return the parallelism of operators that set none."""
        if is_set(self._configuration, catalog.PARALLELISM):
            return value_of(self._configuration, catalog.PARALLELISM)
        return self.get_default_local_parallelism()

    def set_parallelism(self, parallelism: int) -> StreamExecutionEnvironment:
        """Set the parallelism of operators that set none."""
        _check_parallelism(parallelism)
        self._configuration.set_string(catalog.PARALLELISM.key, str(parallelism))
        return self

    _default_local_parallelism: int | None = None

    def get_default_local_parallelism(self) -> int:
        """Return the number of processors, unless it was set."""
        return StreamExecutionEnvironment._default_local_parallelism or len(os.sched_getaffinity(0))

    def set_default_local_parallelism(self, parallelism: int) -> None:
        """Set the parallelism of environments that set none."""
        StreamExecutionEnvironment._default_local_parallelism = parallelism

    def get_max_parallelism(self) -> int:
        """Return the maximum parallelism, -1 for Flink's formula."""
        return value_of(self._configuration, catalog.MAX_PARALLELISM)

    def set_max_parallelism(self, max_parallelism: int) -> StreamExecutionEnvironment:
        """Set the number of key groups of operators that set none."""
        if max_parallelism not in range(1, UPPER_BOUND_MAX_PARALLELISM + 1):
            raise ConfigurationError(
                f"The maximum parallelism must be between 1 and {UPPER_BOUND_MAX_PARALLELISM}, got {max_parallelism!r}."
            )
        self._configuration.set_string(catalog.MAX_PARALLELISM.key, str(max_parallelism))
        return self

    def register_slot_sharing_group(self, slot_sharing_group: Any) -> StreamExecutionEnvironment:
        """Remember the resources of a slot sharing group; they are not enforced on one machine."""
        self._slot_sharing_groups[slot_sharing_group.get_name()] = slot_sharing_group
        return self

    def set_runtime_mode(self, execution_mode: RuntimeExecutionMode) -> StreamExecutionEnvironment:
        """Run as a stream or, over bounded inputs, as a batch."""
        self._configuration.set_string("execution.runtime-mode", execution_mode.name)
        return self

    def is_batch(self) -> bool:
        """Whether the program runs in BATCH mode; AUTOMATIC is that when all sources so far end by themselves."""
        mode = self._configuration.get_string("execution.runtime-mode", "STREAMING").upper()
        if mode != "AUTOMATIC":
            return mode == "BATCH"
        specs = [transformation.spec for transformation in self.pipeline.added()]
        sources = [spec.source for spec in specs if isinstance(spec, SourceSpec)]
        return bool(sources) and all(source.bounded for source in sources)

    def set_buffer_timeout(self, timeout_millis: int) -> StreamExecutionEnvironment:
        """Remember Flink's network buffer timeout, -1 for none; batches here are never held back to fill."""
        require_buffer_timeout(timeout_millis)
        self._configuration.set_string("execution.buffer-timeout.enabled", str(timeout_millis >= 0).lower())
        self._configuration.set_string("execution.buffer-timeout.interval", f"{max(timeout_millis, 0)} ms")
        return self

    def get_buffer_timeout(self) -> int:
        """Return the network buffer timeout in milliseconds, -1 for none."""
        from wiesel.core.options import parse_duration

        if self._configuration.get_string("execution.buffer-timeout.enabled", "true") == "false":
            return -1
        return parse_duration(self._configuration.get_string("execution.buffer-timeout.interval", "100 ms"))

    def disable_operator_chaining(self) -> StreamExecutionEnvironment:
        """Keep every operator in a task of its own."""
        self._configuration.set_string(catalog.OPERATOR_CHAINING.key, "false")
        return self

    def is_chaining_enabled(self) -> bool:
        """Whether operators are chained."""
        return value_of(self._configuration, catalog.OPERATOR_CHAINING)

    def is_chaining_of_operators_with_different_max_parallelism_enabled(self) -> bool:
        """Whether operators of different maximum parallelism are chained, as by Flink's default."""
        return True

    # --------------------------------------------------------------------------------- checkpoints and state

    def get_checkpoint_config(self) -> CheckpointConfig:
        """Return the checkpoint settings."""
        return CheckpointConfig(self._configuration)

    def enable_checkpointing(self, interval: int, mode: CheckpointingMode | None = None) -> StreamExecutionEnvironment:
        """Take a checkpoint every ``interval`` milliseconds."""
        config = self.get_checkpoint_config().set_checkpoint_interval(interval)
        if mode is not None:
            config.set_checkpointing_mode(mode)
        return self

    def get_checkpoint_interval(self) -> int:
        """Return the interval in milliseconds, -1 when checkpointing is off."""
        return self.get_checkpoint_config().get_checkpoint_interval()

    def get_checkpointing_mode(self) -> CheckpointingMode:
        """Return the mode; AT_LEAST_ONCE while checkpointing is off."""
        return self.get_checkpoint_config().get_checkpointing_mode()

    get_checkpointing_consistency_mode = get_checkpointing_mode

    def is_unaligned_checkpoints_enabled(self) -> bool:
        """Whether unaligned checkpoints were asked for; aligned ones are taken."""
        return self.get_checkpoint_config().is_unaligned_checkpoints_enabled()

    def is_force_unaligned_checkpoints(self) -> bool:
        """Whether unaligned checkpoints were forced."""
        return self.get_checkpoint_config().is_force_unaligned_checkpoints()

    def set_default_savepoint_directory(self, directory: str) -> StreamExecutionEnvironment:
        """Set where savepoints go."""
        self._configuration.set_string(catalog.SAVEPOINT_DIRECTORY.key, directory)
        return self

    def get_default_savepoint_directory(self) -> str | None:
        """Return where savepoints go."""
        return optional_value_of(self._configuration, catalog.SAVEPOINT_DIRECTORY)

    def enable_changelog_state_backend(self, enabled: bool) -> StreamExecutionEnvironment:
        """Remember it; checkpoints here are short without a changelog."""
        if enabled:
            self._accepted("enable_changelog_state_backend()")
        self._configuration.set_string(_CHANGELOG, str(enabled).lower())
        return self

    def is_changelog_state_backend_enabled(self) -> bool:
        """Return what was remembered."""
        return self._configuration.get_boolean(_CHANGELOG, False)

    # ------------------------------------------------------------------------- what only a JVM or cluster needs

    def _accepted(self, what: str) -> None:
        _log.info("%s is not needed here and was ignored.", what)

    def add_jars(self, *jars_path: str) -> None:
        """Accept jars; connectors here need none."""
        self._accepted("add_jars()")

    def add_classpaths(self, *classpaths: str) -> None:
        """Accept class paths; there is no JVM."""
        self._accepted("add_classpaths()")

    def set_python_executable(self, python_exec: str) -> None:
        """Accept an interpreter; functions run in this one."""
        self._accepted("set_python_executable()")

    def set_python_requirements(self, requirements_file_path: str, requirements_cache_dir: str | None = None) -> None:
        """Accept requirements; what this interpreter has installed is used."""
        self._accepted("set_python_requirements()")

    def add_python_file(self, file_path: str) -> None:
        """Make a module, package folder or zip file importable, as on a cluster's workers."""
        path = Path(file_path)
        entry = str(path.parent if path.suffix == ".py" else path)
        if entry not in sys.path:
            sys.path.append(entry)

    def add_python_archive(self, archive_path: str, target_dir: str | None = None) -> None:
        """Refuse: archives would have to be unpacked for workers."""
        raise UnsupportedError("add_python_archive() is not available: unpack the archive beside the script.")

    def register_cached_file(self, file_path: str, name: str, executable: bool = False) -> None:
        """Refuse: the file is on this machine already."""
        raise UnsupportedError("register_cached_file() is not available: open the file by its path.")

    # -------------------------------------------------------------------------------------------- sources

    def from_source(
        self,
        source: Any,
        watermark_strategy: WatermarkStrategy,
        source_name: str,
        type_info: TypeInformation | None = None,
    ) -> DataStream:
        """Return the stream of a source."""
        expect_attribute(source, "produced_type", "from_source()", "a source such as KafkaSource or FileSource")
        expect(watermark_strategy, WatermarkStrategy, "from_source()", "a WatermarkStrategy (no_watermarks() for none)")
        expect_type(type_info, "from_source()")
        if watermark_strategy.timestamp_assigner is not None:
            _log.warning(
                "from_source(): PyFlink ignores a timestamp assigner written in Python here, and so does Wiesel. Use "
                "stream.assign_timestamps_and_watermarks(...) to take timestamps from the records."
            )
        output_type = type_info or source.produced_type() or Types.PICKLED_BYTE_ARRAY()
        return self._source(f"Source: {source_name}", source.spec, watermark_strategy, output_type)

    def add_source(
        self, source_func: Any, source_name: str = "Custom Source", type_info: TypeInformation | None = None
    ) -> DataStream:
        """Return the stream of a source of the old kind, such as ``FlinkKafkaConsumer``."""
        expect_attribute(source_func, "produced_type", "add_source()", "a SourceFunction")
        expect_type(type_info, "add_source()")
        output_type = type_info or source_func.produced_type() or Types.PICKLED_BYTE_ARRAY()
        strategy = WatermarkStrategy.no_watermarks()
        return self._source(f"Source: {source_name}", source_func.spec, strategy, output_type)

    def from_collection(self, collection: Iterable[Any], type_info: TypeInformation | None = None) -> DataStream:
        """Return a stream of the values of a collection, read by one subtask."""
        from wiesel.connectors.collections.collection import CollectionSpec

        expect_type(type_info, "from_collection()")
        values = list(collection)
        if type_info is not None:
            values = list(map(type_info.collection_coercer(), values))
        return self._source(
            "Source: Collection Source",
            CollectionSpec(values),
            WatermarkStrategy.no_watermarks(),
            type_info or Types.PICKLED_BYTE_ARRAY(),
            parallelism=1,
        )

    def create_input(self, input_format: Any, type_info: TypeInformation | None = None) -> DataStream:
        """Return the stream of an input format, such as ``AvroInputFormat``."""
        to_source = getattr(input_format, "to_source", None)
        if to_source is None:
            raise UnsupportedError(f"create_input() cannot read {input_format!r}: use from_source(FileSource).")
        return self.from_source(to_source(), WatermarkStrategy.no_watermarks(), "Custom File source", type_info)

    def _source(
        self, name: str, spec: Any, strategy: WatermarkStrategy, output_type: TypeInformation, **fields: Any
    ) -> DataStream:
        side_sinks: Sequence[SideSink] = ()
        if isinstance(spec, SourceWithSideSinks):
            spec = spec.with_configuration(self._configuration)
            side_sinks = spec.side_sinks()
        transformation_id = self.pipeline.add(
            name, SourceSpec(spec, strategy), (), output_type=output_type, pact="Data Source", **fields
        )
        for side in side_sinks:
            upstream = Upstream(transformation_id, side_output=side.tag, side_type=Types.PICKLED_BYTE_ARRAY())
            self.pipeline.add(
                f"Sink: {side.name}", SinkSpec(side.sink), ((upstream,),), output_type=None, pact="Data Sink"
            )
        return DataStream(self, (Upstream(transformation_id),))

    # ------------------------------------------------------------------------------------------- execution

    def execute(self, job_name: str | None = None) -> JobExecutionResult:
        """Run the program to its end.

        Raises:
            JobExecutionError: it failed; ``__cause__`` is what the failing function raised.
        """
        import threading

        from wiesel import cluster
        from wiesel.core.job import JobExecutionResult, JobID

        graph, options, rebuild = self._prepare(job_name, threading.current_thread() is threading.main_thread())
        outcome = cluster.execute(graph, options, rebuild)
        return JobExecutionResult(JobID(options.job_id), outcome.runtime_ms)

    def execute_async(self, job_name: str | None = None) -> JobClient:
        """Start the program on a thread and return a client for it."""
        from wiesel.common.job_client import JobClient

        return JobClient(self.start_job(job_name))

    def start_job(self, job_name: str | None) -> LocalJobHandle:
        """Start the program on a thread and return the cluster's handle."""
        from wiesel import cluster

        return cluster.execute_async(*self._prepare(job_name, handle_signals=False))

    def get_execution_plan(self) -> str:
        """Return the program's plan as JSON; ``execute`` can still be called afterwards."""
        from wiesel.graph.plan import to_json

        return to_json(self._stream_graph(None))

    def _stream_graph(self, job_name: str | None) -> StreamGraph:
        return self._builder(job_name)(self.get_parallelism())

    def _builder(self, job_name: str | None) -> Callable[[int], StreamGraph]:
        """Return what builds the program as it is now, given a default parallelism."""
        from wiesel.graph.stream_graph import build_stream_graph

        transformations = self.pipeline.transformations()
        name = job_name or optional_value_of(self._configuration, catalog.PIPELINE_NAME) or _DEFAULT_JOB_NAME
        max_parallelism = self.get_max_parallelism() if self.get_max_parallelism() > 0 else None
        chaining = self.is_chaining_enabled()
        uids = self.get_config().has_auto_generated_uids_enabled()
        return lambda parallelism: build_stream_graph(
            transformations, name, parallelism, max_parallelism, chaining, uids
        )

    def _prepare(
        self, job_name: str | None, handle_signals: bool
    ) -> tuple[JobGraph, JobOptions, Callable[[int], JobGraph]]:
        from wiesel.cluster.options import JobOptions
        from wiesel.graph.job_graph import build_job_graph

        build = self._builder(job_name)
        stream_graph = build(self.get_parallelism())
        graph = build_job_graph(stream_graph)
        batch = self.is_batch()
        self.pipeline.clear()
        started = launch.current()
        configuration = Configuration(self._configuration)
        configuration.set_string(catalog.PIPELINE_NAME.key, stream_graph.job_name)
        if started.on_plan is not None:
            started.on_plan(stream_graph, graph, configuration)
        if batch:
            from wiesel.datastream.batch import prepare_batch

            prepare_batch(stream_graph, configuration)
        options = JobOptions(
            job_id=_job_id(started),
            configuration=configuration,
            resume=started.resume,
            from_savepoint=started.from_savepoint,
            fresh=started.fresh,
            allow_non_restored_state=started.allow_non_restored_state,
            trust_pickle=started.trust_pickle,
            observers=started.observers,
            workers=started.workers or 0,
            handle_signals=handle_signals,
        )
        return graph, options, lambda parallelism: build_job_graph(build(parallelism))

    def close(self) -> None:
        """Forget the program that was built and not executed."""
        self.pipeline.clear()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A StreamExecutionEnvironment cannot be pickled: a function of the job uses it. Use it only to build."
        )


def _check_parallelism(parallelism: Any) -> None:
    if not isinstance(parallelism, int) or parallelism < 1:
        raise ConfigurationError(f"Parallelism must be at least one, got {parallelism!r}.")


def _report(report: ConfigurationReport) -> None:
    for line in report.warnings():
        _log.warning(line)
    for line in report.notes():
        _log.info(line)


def _job_id(options: launch.LaunchOptions) -> str:
    """Return the job's id: ``--job-id``, else the script's name; with the number of the ``execute()`` call."""
    StreamExecutionEnvironment._executions += 1
    number = StreamExecutionEnvironment._executions
    if options.job_id is not None:
        return options.job_id if number == 1 else f"{options.job_id}-{number}"
    program = options.program_name or Path(sys.argv[0] if sys.argv and sys.argv[0] else "python").stem or "python"
    return f"{program}-{number}"
