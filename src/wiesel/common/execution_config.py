"""``ExecutionConfig``: the program's settings, kept in its configuration (``pyflink.common.execution_config``)."""

from __future__ import annotations

from typing import Final

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog, format_map, optional_value_of, parse_duration, value_of

__all__ = ["ExecutionConfig"]

_LATENCY_INTERVAL: Final = "metrics.latency.interval"
_CANCELLATION_INTERVAL: Final = "task.cancellation.interval"
_CANCELLATION_TIMEOUT: Final = "task.cancellation.timeout"
_CLOSURE_CLEANER: Final = "pipeline.closure-cleaner-level"
_FORCE_AVRO: Final = "pipeline.force-avro"
_FORCE_KRYO: Final = "pipeline.force-kryo"
_GENERIC_TYPES: Final = "pipeline.generic-types"


class ExecutionConfig:
    """Reads and writes the program's settings; setters return the object, so calls can be chained.

    Settings of Java's serialisation are remembered and do nothing.

    Args:
        configuration: where the settings are kept; the environment's, so both see the same.
    """

    PARALLELISM_DEFAULT = -1
    PARALLELISM_UNKNOWN = -2

    def __init__(self, configuration: Configuration | None = None) -> None:
        self._configuration = Configuration() if configuration is None else configuration

    # ---------------------------------------------------------------------------------- parallelism and watermarks

    def get_parallelism(self) -> int:
        """Return the parallelism of operators that set none, ``PARALLELISM_DEFAULT`` when nobody chose it."""
        if not self._configuration.contains_key(catalog.PARALLELISM.key):
            return self.PARALLELISM_DEFAULT
        return value_of(self._configuration, catalog.PARALLELISM)

    def set_parallelism(self, parallelism: int) -> ExecutionConfig:
        """Set the parallelism of operators that set none; ``PARALLELISM_DEFAULT`` forgets it."""
        if parallelism == self.PARALLELISM_DEFAULT:
            self._configuration.remove_config(catalog.PARALLELISM.key)
        elif parallelism != self.PARALLELISM_UNKNOWN:
            if parallelism < 1:
                raise ConfigurationError(
                    f"Parallelism must be at least one, or ExecutionConfig.PARALLELISM_DEFAULT; got {parallelism}"
                )
            self._configuration.set_integer(catalog.PARALLELISM.key, parallelism)
        return self

    def get_max_parallelism(self) -> int:
        """Return the number of key groups, -1 for Flink's formula."""
        return value_of(self._configuration, catalog.MAX_PARALLELISM)

    def set_max_parallelism(self, max_parallelism: int) -> ExecutionConfig:
        """Set the number of key groups."""
        if max_parallelism < 1:
            raise ConfigurationError(f"The maximum parallelism must be greater than 0; got {max_parallelism}")
        self._configuration.set_integer(catalog.MAX_PARALLELISM.key, max_parallelism)
        return self

    def get_auto_watermark_interval(self) -> int:
        """Return the milliseconds between two periodic watermarks."""
        return value_of(self._configuration, catalog.AUTO_WATERMARK_INTERVAL)

    def set_auto_watermark_interval(self, interval: int) -> ExecutionConfig:
        """Set the milliseconds between two periodic watermarks; 0 turns them off."""
        if interval < 0:
            raise ConfigurationError(f"Auto watermark interval must not be negative; got {interval}")
        return self._set(catalog.AUTO_WATERMARK_INTERVAL.key, f"{interval} ms")

    # ------------------------------------------------------------------------------------------- latency and tasks

    def get_latency_tracking_interval(self) -> int:
        """Return the milliseconds between two latency markers; 0: none are sent."""
        return self._millis(_LATENCY_INTERVAL, 0)

    def set_latency_tracking_interval(self, interval: int) -> ExecutionConfig:
        """Set the milliseconds between two latency markers."""
        return self._set(_LATENCY_INTERVAL, f"{interval} ms")

    def get_task_cancellation_interval(self) -> int:
        """Return the milliseconds between two attempts to cancel a task."""
        return self._millis(_CANCELLATION_INTERVAL, 30_000)

    def set_task_cancellation_interval(self, interval: int) -> ExecutionConfig:
        """Set the milliseconds between two attempts to cancel a task."""
        return self._set(_CANCELLATION_INTERVAL, f"{interval} ms")

    def get_task_cancellation_timeout(self) -> int:
        """Return the milliseconds that a cancelled task is given."""
        return self._millis(_CANCELLATION_TIMEOUT, 180_000)

    def set_task_cancellation_timeout(self, timeout: int) -> ExecutionConfig:
        """Set the milliseconds that a cancelled task is given."""
        return self._set(_CANCELLATION_TIMEOUT, f"{timeout} ms")

    # --------------------------------------------------------------------------------------- parameters and switches

    def get_global_job_parameters(self) -> dict[str, str]:
        """Return the parameters that functions can read."""
        return optional_value_of(self._configuration, catalog.GLOBAL_JOB_PARAMETERS) or {}

    def set_global_job_parameters(self, global_job_parameters_dict: dict[str, str]) -> ExecutionConfig:
        """Set the parameters that functions can read."""
        return self._set(catalog.GLOBAL_JOB_PARAMETERS.key, format_map(global_job_parameters_dict))

    def enable_auto_generated_uids(self) -> ExecutionConfig:
        """Give a uid to operators that have none."""
        return self._switch(catalog.AUTO_GENERATE_UIDS.key, True)

    def disable_auto_generated_uids(self) -> ExecutionConfig:
        """Demand a uid for every operator."""
        return self._switch(catalog.AUTO_GENERATE_UIDS.key, False)

    def has_auto_generated_uids_enabled(self) -> bool:
        """Whether operators are given uids."""
        return value_of(self._configuration, catalog.AUTO_GENERATE_UIDS)

    def enable_object_reuse(self) -> ExecutionConfig:
        """Remember it; chained functions share objects either way."""
        return self._switch(catalog.OBJECT_REUSE.key, True)

    def disable_object_reuse(self) -> ExecutionConfig:
        """Remember it; chained functions share objects either way."""
        return self._switch(catalog.OBJECT_REUSE.key, False)

    def is_object_reuse_enabled(self) -> bool:
        """Return what was remembered."""
        return value_of(self._configuration, catalog.OBJECT_REUSE)

    def is_use_snapshot_compression(self) -> bool:
        """Return what was remembered; state files are not compressed."""
        return value_of(self._configuration, catalog.SNAPSHOT_COMPRESSION)

    def set_use_snapshot_compression(self, use_snapshot_compression: bool) -> ExecutionConfig:
        """Remember it; state files are not compressed."""
        return self._switch(catalog.SNAPSHOT_COMPRESSION.key, use_snapshot_compression)

    # ------------------------------------------------------------------------------------ Java's own: remembered only

    def enable_closure_cleaner(self) -> ExecutionConfig:
        """Remember it."""
        return self._set(_CLOSURE_CLEANER, "RECURSIVE")

    def disable_closure_cleaner(self) -> ExecutionConfig:
        """Remember it."""
        return self._set(_CLOSURE_CLEANER, "NONE")

    def is_closure_cleaner_enabled(self) -> bool:
        """Return what was remembered."""
        return self._configuration.get_string(_CLOSURE_CLEANER, "RECURSIVE").upper() != "NONE"

    def enable_force_kryo(self) -> ExecutionConfig:
        """Remember it."""
        return self._switch(_FORCE_KRYO, True)

    def disable_force_kryo(self) -> ExecutionConfig:
        """Remember it."""
        return self._switch(_FORCE_KRYO, False)

    def is_force_kryo_enabled(self) -> bool:
        """Return what was remembered."""
        return self._configuration.get_boolean(_FORCE_KRYO, False)

    def enable_force_avro(self) -> ExecutionConfig:
        """Remember it."""
        return self._switch(_FORCE_AVRO, True)

    def disable_force_avro(self) -> ExecutionConfig:
        """Remember it."""
        return self._switch(_FORCE_AVRO, False)

    def is_force_avro_enabled(self) -> bool:
        """Return what was remembered."""
        return self._configuration.get_boolean(_FORCE_AVRO, False)

    def enable_generic_types(self) -> ExecutionConfig:
        """Remember it."""
        return self._switch(_GENERIC_TYPES, True)

    def disable_generic_types(self) -> ExecutionConfig:
        """Remember it."""
        return self._switch(_GENERIC_TYPES, False)

    def has_generic_types_disabled(self) -> bool:
        """Return what was remembered."""
        return not self._configuration.get_boolean(_GENERIC_TYPES, True)

    def get_default_kryo_serializer_classes(self) -> dict[str, str]:
        """Return nothing: there is no Kryo."""
        return {}

    def get_registered_kryo_types(self) -> list[str]:
        """Return nothing: there is no Kryo."""
        return []

    def get_registered_pojo_types(self) -> list[str]:
        """Return nothing: there are no Java classes."""
        return []

    def _set(self, key: str, value: str) -> ExecutionConfig:
        self._configuration.set_string(key, value)
        return self

    def _switch(self, key: str, value: bool) -> ExecutionConfig:
        self._configuration.set_boolean(key, value)
        return self

    def _millis(self, key: str, default: int) -> int:
        return parse_duration(self._configuration.get_string(key, str(default)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExecutionConfig) and self._configuration == other._configuration

    def __hash__(self) -> int:
        return hash(self._configuration)
