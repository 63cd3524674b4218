"""The options that Wiesel understands: Flink's keys, with Flink's defaults where nothing else is said.

Pages mirrored: "Configuration", "Checkpointing", "State Backends" and "Task Failure Recovery" of Flink's documentation.
"""

from __future__ import annotations

from typing import Any, Final

from wiesel.core.options.option import ConfigOption
from wiesel.core.options.parsers import (
    decimal_number,
    one_of,
    parse_boolean,
    parse_duration,
    parse_list,
    parse_map,
    parse_memory_size,
    parse_ports,
    whole_number,
)

_DURATION = "a duration such as 500 ms, 10 s or 1 min"
_BOOLEAN = "true or false"
_PATH = "a path"
_INT_MAX = 2**31 - 1


def _text(key: str, default: str | None, description: str, **more: Any) -> ConfigOption[str]:
    return ConfigOption(key, str, more.pop("expected", "text"), default, description, **more)


def _boolean(key: str, default: str, description: str, **more: Any) -> ConfigOption[bool]:
    return ConfigOption(key, parse_boolean, _BOOLEAN, default, description, **more)


def _duration(key: str, default: str | None, description: str, **more: Any) -> ConfigOption[int]:
    return ConfigOption(key, parse_duration, _DURATION, default, description, **more)


def _number(key: str, default: str | None, description: str, low: int = 0, **more: Any) -> ConfigOption[int]:
    expected = f"a whole number, {low} or more"
    return ConfigOption(key, whole_number(low, _INT_MAX), expected, default, description, **more)


def _memory(key: str, default: str, description: str) -> ConfigOption[int]:
    return ConfigOption(key, parse_memory_size, "a size such as 64mb", default, description)


def _decimal(key: str, default: str, description: str, low: float) -> ConfigOption[float]:
    return ConfigOption(key, decimal_number(low), f"a number, {low:g} or more", default, description)


def _choice(key: str, default: str | None, description: str, *names: str, **more: Any) -> ConfigOption[str]:
    synonyms: dict[str, str] = more.pop("synonyms", {})
    return ConfigOption(key, one_of(*names, **synonyms), f"one of {', '.join(names)}", default, description, **more)


# ------------------------------------------------------------------------------------------------- checkpointing

CHECKPOINTING_INTERVAL: Final = _duration(
    "execution.checkpointing.interval", None, "time between the starts of two checkpoints; none are taken without it"
)
CHECKPOINTING_MODE: Final = _choice(
    "execution.checkpointing.mode", "EXACTLY_ONCE", "whether barriers are aligned", "EXACTLY_ONCE", "AT_LEAST_ONCE"
)
CHECKPOINTING_TIMEOUT: Final = _duration(
    "execution.checkpointing.timeout", "10 min", "a checkpoint that takes longer is given up"
)
CHECKPOINTING_MIN_PAUSE: Final = _duration("execution.checkpointing.min-pause", "0 ms", "rest between two checkpoints")
MAX_CONCURRENT_CHECKPOINTS: Final = _number(
    "execution.checkpointing.max-concurrent-checkpoints", "1", "checkpoints under way at the same time", low=1
)
TOLERABLE_FAILED_CHECKPOINTS: Final = _number(
    "execution.checkpointing.tolerable-failed-checkpoints", "0", "failures in a row before the job itself fails"
)
CHECKPOINTS_DIRECTORY: Final = _text(
    "execution.checkpointing.dir",
    None,
    "where job directories lie; .wiesel/checkpoints in the working directory without it",
    expected=_PATH,
    aliases=("state.checkpoints.dir", "state.backend.fs.checkpointdir"),
)
CHECKPOINT_KEY_FILE: Final = _text(
    "wiesel.checkpoint.key-file",
    None,
    "file with the key that seals checkpoints; one of the installation's own without it",
    expected=_PATH,
)
KAFKA_BAD_RECORDS: Final = _choice(
    "wiesel.kafka.bad-records",
    "fail",
    "what Kafka sources do with records that they cannot decode, unless a source says it itself",
    "fail",
    "skip",
    "dead-letter",
)
KAFKA_DEAD_LETTER_TOPIC: Final = _text(
    "wiesel.kafka.dead-letter-topic", None, "where wiesel.kafka.bad-records=dead-letter writes them", expected="a topic"
)
KAFKA_DEAD_LETTER_PREFIX: Final = _text(
    "wiesel.kafka.dead-letter-transactional-id-prefix",
    None,
    "names the transactions of dead letters; the source's group id and -dead-letters without it",
)
FREEZE_STATE: Final = _boolean(
    "wiesel.gc.freeze-state", "true", "whether Python's garbage collector is spared looking through all state"
)
SAVEPOINT_DIRECTORY: Final = _text(
    "execution.checkpointing.savepoint-dir",
    None,
    "where savepoints are written",
    expected=_PATH,
    aliases=("state.savepoints.dir", "savepoints.state.backend.fs.dir"),
)
# Flink deletes checkpoints when a job is cancelled, unless told otherwise; Wiesel keeps them unless told otherwise.
EXTERNALIZED_CHECKPOINT_RETENTION: Final = _choice(
    "execution.checkpointing.externalized-checkpoint-retention",
    "RETAIN_ON_CANCELLATION",
    "whether the last checkpoint outlives a cancelled job",
    "RETAIN_ON_CANCELLATION",
    "DELETE_ON_CANCELLATION",
    "NO_EXTERNALIZED_CHECKPOINTS",
)
NUM_RETAINED_CHECKPOINTS: Final = _number(
    "execution.checkpointing.num-retained",
    "1",
    "completed checkpoints that are kept",
    low=1,
    aliases=("state.checkpoints.num-retained",),
)
RECOVERY_PATH: Final = _text(
    "execution.state-recovery.path",
    None,
    "savepoint or checkpoint to start from",
    expected=_PATH,
    aliases=("execution.savepoint.path",),
)
IGNORE_UNCLAIMED_STATE: Final = _boolean(
    "execution.state-recovery.ignore-unclaimed-state",
    "false",
    "drop restored state that no operator takes",
    aliases=("execution.savepoint.ignore-unclaimed-state",),
)
STATE_BACKEND: Final = _choice(
    "state.backend.type",
    "hashmap",
    "where keyed state lives",
    "hashmap",
    "rocksdb",
    aliases=("state.backend",),
)
ROCKSDB_DIRECTORY: Final = _text(
    "state.backend.rocksdb.localdir",
    None,
    "where RocksDB keeps its files; checkpoints are fastest on the same filesystem. The job directory without it",
    expected=_PATH,
)
ROCKSDB_CACHE: Final = _memory("state.backend.rocksdb.block.cache-size", "64mb", "memory for blocks read from disk")
ROCKSDB_WRITE_BUFFER: Final = _memory(
    "state.backend.rocksdb.writebuffer.size", "16mb", "new entries that RocksDB gathers in memory"
)

# ------------------------------------------------------------------------------------------------------ restarts

_INFINITE = "infinite"
RESTART_STRATEGY: Final = _choice(
    "restart-strategy.type",
    None,
    "what happens after a failure; exponential-delay with checkpoints, none without",
    "none",
    "fixed-delay",
    "failure-rate",
    "exponential-delay",
    synonyms={"off": "none", "disable": "none"},
    aliases=("restart-strategy",),
)
FIXED_DELAY_ATTEMPTS: Final = _number("restart-strategy.fixed-delay.attempts", "1", "restarts before giving up")
FIXED_DELAY_DELAY: Final = _duration("restart-strategy.fixed-delay.delay", "1 s", "wait before each restart")
FAILURE_RATE_MAX_FAILURES: Final = _number(
    "restart-strategy.failure-rate.max-failures-per-interval", "1", "failures in the interval before giving up"
)
FAILURE_RATE_INTERVAL: Final = _duration(
    "restart-strategy.failure-rate.failure-rate-interval", "1 min", "the interval in which failures are counted"
)
FAILURE_RATE_DELAY: Final = _duration("restart-strategy.failure-rate.delay", "1 s", "wait before each restart")
EXPONENTIAL_INITIAL_BACKOFF: Final = _duration(
    "restart-strategy.exponential-delay.initial-backoff", "1 s", "wait before the first restart"
)
EXPONENTIAL_MAX_BACKOFF: Final = _duration(
    "restart-strategy.exponential-delay.max-backoff", "1 min", "longest wait before a restart"
)
EXPONENTIAL_MULTIPLIER: Final = _decimal(
    "restart-strategy.exponential-delay.backoff-multiplier", "1.5", "growth of the wait from failure to failure", low=1
)
EXPONENTIAL_RESET_THRESHOLD: Final = _duration(
    "restart-strategy.exponential-delay.reset-backoff-threshold", "1 h", "running so long resets the wait"
)
EXPONENTIAL_JITTER: Final = _decimal(
    "restart-strategy.exponential-delay.jitter-factor", "0.1", "random part of the wait, added or taken", low=0
)


def _attempts(text: str) -> int:
    return _INT_MAX if text.strip().lower() == _INFINITE else whole_number(1, _INT_MAX)(text)


EXPONENTIAL_ATTEMPTS: Final = ConfigOption(
    "restart-strategy.exponential-delay.attempts-before-reset-backoff",
    _attempts,
    f"a whole number, 1 or more, or {_INFINITE}",
    _INFINITE,
    "restarts before giving up, counted anew when the wait is reset",
)

# ------------------------------------------------------------------------------------------- pipeline and execution

PARALLELISM: Final = _number("parallelism.default", "1", "subtasks of an operator that sets none", low=1)
PIPELINE_NAME: Final = _text("pipeline.name", None, "the job's name")
MAX_PARALLELISM: Final = ConfigOption(
    "pipeline.max-parallelism",
    whole_number(-1, 1 << 15),
    "a whole number up to 32768, or -1 for Flink's formula",
    "-1",
    "number of key groups; kept with the state",
)
AUTO_WATERMARK_INTERVAL: Final = _duration(
    "pipeline.auto-watermark-interval", "200 ms", "time between two periodic watermarks; 0 turns them off"
)
WATERMARK_ADVANCE_AFTER: Final = _duration(
    "wiesel.watermark.advance-after",
    None,
    "an input without a record for so long lets event time go on with the wall clock; off without it",
)
OBJECT_REUSE: Final = _boolean(
    "pipeline.object-reuse", "false", "hand the very objects to the next task; chained functions always share them"
)
OPERATOR_CHAINING: Final = _boolean(
    "pipeline.operator-chaining.enabled",
    "true",
    "whether operators call each other directly where Flink chains them",
    aliases=("pipeline.operator-chaining",),
)
AUTO_GENERATE_UIDS: Final = _boolean(
    "pipeline.auto-generate-uids", "true", "false: every operator must be given a uid by the script"
)
GLOBAL_JOB_PARAMETERS: Final = ConfigOption(
    "pipeline.global-job-parameters", parse_map, "entries such as a:1,b:2", None, "parameters that functions can read"
)
ALLOW_UNALIGNED_SOURCE_SPLITS: Final = _boolean(
    "pipeline.watermark-alignment.allow-unaligned-source-splits", "false", "alignment of sources, not of their splits"
)
_NO_JARS = "connectors need no jars here"
PIPELINE_JARS: Final = ConfigOption(
    "pipeline.jars", parse_list, "paths divided by ;", None, "jars to ship", no_effect=_NO_JARS
)
PIPELINE_CLASSPATHS: Final = ConfigOption(
    "pipeline.classpaths", parse_list, "URLs divided by ;", None, "jars to load", no_effect=_NO_JARS
)
RUNTIME_MODE: Final = _choice(
    "execution.runtime-mode", "STREAMING", "streaming or batch", "STREAMING", "BATCH", "AUTOMATIC"
)
SORTED_INPUTS: Final = _boolean(
    "execution.sorted-inputs.enabled",
    "true",
    "BATCH mode: whether keyed operators get their input sorted by key and event time",
)
SORTED_INPUTS_MEMORY: Final = _memory(
    "execution.sorted-inputs.memory", "128mb", "what that takes in each subtask before it goes to temporary files"
)
TEMPORARY_DIRECTORIES: Final = ConfigOption(
    "io.tmp.dirs", parse_list, "paths divided by ;", None, "where temporary files go (the first one); TMPDIR without it"
)
_BATCHES = "what is there is sent at once"
BUFFER_TIMEOUT: Final = _duration(
    "execution.buffer-timeout.interval",
    "100 ms",
    "longest time that a record waits to be sent on",
    aliases=("execution.buffer-timeout",),
    no_effect=_BATCHES,
)
BUFFER_TIMEOUT_ENABLED: Final = _boolean(
    "execution.buffer-timeout.enabled", "true", "whether there is such a time", no_effect=_BATCHES
)
ATTACHED: Final = _boolean(
    "execution.attached", "false", "whether the client waits", no_effect="execute() waits and execute_async() does not"
)
UNALIGNED_CHECKPOINTS: Final = _boolean(
    "execution.checkpointing.unaligned.enabled",
    "false",
    "barriers that overtake records",
    aliases=("execution.checkpointing.unaligned",),
    no_effect="barriers are always aligned",
)
CHECKPOINTS_AFTER_TASKS_FINISH: Final = _boolean(
    "execution.checkpointing.checkpoints-after-tasks-finish",
    "true",
    "whether finished tasks stop checkpoints",
    aliases=("execution.checkpointing.checkpoints-after-tasks-finish.enabled",),
    no_effect="finished tasks never stop checkpoints",
)
CHECKPOINT_STORAGE: Final = _choice(
    "execution.checkpointing.storage",
    None,
    "where checkpoints are kept",
    "filesystem",
    "jobmanager",
    aliases=("state.checkpoint-storage",),
    no_effect="checkpoints are always files",
)
INCREMENTAL_CHECKPOINTS: Final = _boolean(
    "execution.checkpointing.incremental",
    "false",
    "checkpoints that hold the difference only",
    aliases=("state.backend.incremental",),
    no_effect="the state backend decides it",
)
SNAPSHOT_COMPRESSION: Final = _boolean(
    "execution.checkpointing.snapshot-compression",
    "false",
    "compressed state files",
    no_effect="state files are not compressed",
)
DATA_INLINE_THRESHOLD: Final = ConfigOption(
    "execution.checkpointing.data-inline-threshold",
    parse_memory_size,
    "a size such as 20 kb",
    "20 kb",
    "state smaller than this is kept in the metadata file",
    aliases=("state.storage.fs.memory-threshold", "state.backend.fs.memory-threshold"),
    no_effect="state is always in files of its own",
)

# ---------------------------------------------------------------------------------------------------- control plane

TASK_CANCELLATION_TIMEOUT: Final = _duration(
    "task.cancellation.timeout", "10 s", "tasks that are not closed by then, kept by a function, end with their process"
)
PROMETHEUS_PORT: Final = ConfigOption(
    "metrics.reporter.prom.port",
    parse_ports,
    "a port such as 9249, or a range such as 9250-9260",
    None,
    "where Prometheus finds the job's metrics; a range gives each job the first free one",
)
PROMETHEUS_HOST: Final = _text(
    "metrics.reporter.prom.host", "127.0.0.1", "the address of that port; only this machine can be reached from"
)

REST_PORT: Final = ConfigOption(
    "rest.bind-port",
    parse_ports,
    "a port such as 8081, or a range such as 8081-8090",
    None,
    "where the REST API answers over TCP, with a token; without it, on the job's Unix socket only",
)
REST_BIND_ADDRESS: Final = _text(
    "rest.bind-address", "127.0.0.1", "the address of that port; one that is not this machine's own needs TLS"
)
REST_ADDRESS: Final = _text("rest.address", None, "the name by which clients call it, other than the address")
REST_TOKEN_FILE: Final = _text(
    "wiesel.rest.token-file", None, "file with the token, mode 0600; one of the user's own without it", expected=_PATH
)
REST_CERTIFICATE: Final = _text(
    "wiesel.rest.certificate-file", None, "TLS certificate of that port with its chain, PEM", expected=_PATH
)
REST_KEY: Final = _text("wiesel.rest.key-file", None, "the certificate's private key, PEM", expected=_PATH)

#: Every option above by its key and its older keys.
OPTIONS: Final[dict[str, ConfigOption[Any]]] = {
    key: option
    for option in list(globals().values())
    if isinstance(option, ConfigOption)
    for key in (option.key, *option.aliases)
}

#: Whole families of keys that are accepted: what they start with, and why they do nothing (None: another part of
#: Wiesel reads them).
FAMILIES: Final[dict[str, str | None]] = {
    "$internal.": "it belongs to Flink's own processes",
    "metrics.": None,
    "wiesel.": None,
    "state.backend.rocksdb.": None,
    "state.ttl.": None,
    "python.": "the job runs in the Python process that starts it",
    "pipeline.": "it concerns Java's serialisation and shipping",
    "execution.checkpointing.": "it concerns Flink's file system and network",
    "execution.": "it concerns Flink's cluster",
    "table.": "there is no Table API yet",
    "sql-": "there is no SQL yet",
    **dict.fromkeys(
        (
            "akka.", "blob.", "classloader.", "client.", "cluster.", "compiler.", "containerized.", "daemon.", "env.",
            "external-resource", "externalresource.", "fine-grained", "flamegraph.", "fs.", "hadoop.", "heartbeat.",
            "high-availability", "historyserver.", "hive.", "jmx.", "job-event", "job-result-store.",
            "jobmanager.", "jobstore.", "kubernetes.", "local-", "minicluster.", "parallelism.", "pekko.", "plugin.",
            "process.", "prometheus.", "queryable-state.", "resourcemanager.", "rest.", "s3.", "security.",
            "shuffle-service", "slot", "slotmanager.", "standalone", "state.", "system.", "task.", "taskmanager.",
            "traces.", "user.", "web.", "yarn.", "zookeeper.",
        ),
        "it makes sense on a JVM cluster only",
    ),
}  # fmt: skip
