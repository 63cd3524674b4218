"""Runs a script with the real PyFlink: the program that `wiesel.flink.client` starts, with the path of a submission.

It runs with the interpreter of PyFlink's environment, where Wiesel is not installed: only Python's library and pyflink
are imported here. The script stays as it is; the environments that it asks PyFlink for come with the launch's settings,
as they would under `flink run`, and lead to the cluster.
"""

from __future__ import annotations

import functools
import json
import sys
import traceback
import uuid
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

_JARS = "pipeline.jars"
_JOB_ID = "$internal.pipeline.job-id"


def install(submission: dict[str, Any]) -> None:
    """Make PyFlink's environments those of the submission."""
    from pyflink.common import Configuration
    from pyflink.datastream import DataStream, StreamExecutionEnvironment

    original = StreamExecutionEnvironment.get_execution_environment
    settings = submission["configuration"]

    def configuration_with(given: Configuration | None) -> Configuration:
        merged = Configuration()
        for key, value in settings.items():
            merged.set_string(key, value)
        if given is not None:
            merged.add_all(given)
        return merged

    def get_execution_environment(configuration: Configuration | None = None) -> StreamExecutionEnvironment:
        if submission["cluster"] is not None:
            return _remote_environment(submission, configuration_with(configuration))
        if configuration is not None:
            return original(configuration_with(configuration))
        env = original()
        if settings:
            env.configure(configuration_with(None))
        return env

    StreamExecutionEnvironment.get_execution_environment = staticmethod(get_execution_environment)
    for owner, name, env_of in (
        (StreamExecutionEnvironment, "execute", lambda env: env),
        (StreamExecutionEnvironment, "execute_async", lambda env: env),
        (DataStream, "execute_and_collect", lambda stream: stream.get_execution_environment()),
    ):
        setattr(owner, name, _submitting(getattr(owner, name), env_of, submission))


def _remote_environment(submission: dict[str, Any], configuration: Any) -> Any:
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.java_gateway import get_gateway
    from pyflink.util.java_utils import to_jarray

    gateway = get_gateway()
    host, _, port = submission["cluster"].rpartition(":")
    jars = to_jarray(gateway.jvm.String, [])  # they are added when a job is submitted
    java_class = gateway.jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    java_env = java_class.createRemoteEnvironment(host, int(port), configuration._j_configuration, jars)
    env = StreamExecutionEnvironment(java_env)
    # The constructor takes the client's part only; this reads parallelism, checkpointing and the rest.
    env.configure(configuration)
    return env


def _submitting(original: Any, env_of: Any, submission: dict[str, Any]) -> Any:
    """`original`, which submits a job, with the jars that the job needs and an id that is told."""

    @functools.wraps(original)
    def submit_here(self: Any, *arguments: Any, **options: Any) -> Any:
        # PyFlink's worker prints what a function raises, with fifty frames of its own, before the job fails with it.
        worker: Any = import_module("apache_beam.runners.worker.sdk_worker")
        worker.print = lambda *_, **__: None
        return original(self, *arguments, **options)

    @functools.wraps(original)
    def submit(self: Any, *arguments: Any, **options: Any) -> Any:
        from pyflink.common import Configuration
        from pyflink.util.java_utils import get_j_env_configuration

        java = get_j_env_configuration(env_of(self)._j_stream_execution_environment)
        given = Configuration.parse_list_value(java.getString(_JARS, None))
        # A script's own list replaces what the environment came with, and would leave out Flink's Python.
        java.setString(_JARS, str([*given, *missing_jars(given, submission["jars"])]))
        java.setString("execution.attached", "false" if submission["is_detached"] else "true")
        job_id = uuid.uuid4().hex
        java.setString(_JOB_ID, job_id)
        sys.stderr.write(f"submitting job {job_id} to {submission['cluster']}\n")
        submission["job_id"] = job_id
        result = original(self, *arguments, **options)
        if submission["is_detached"]:
            sys.stdout.write(f"{job_id}\n")  # as `wiesel run --detached` prints that of a job here
        return result

    return submit_here if submission["cluster"] is None else submit


def missing_jars(given: list[str], needed: list[str]) -> list[str]:
    """The URLs of `needed` that are not among `given`; a Kafka connector of the script's own replaces ours."""
    names = [url.rpartition("/")[2] for url in given]
    has_kafka = any("connector-kafka" in name for name in names)
    wanted = [Path(path) for path in needed if not (has_kafka and "connector-kafka" in path)]
    return [path.as_uri() for path in wanted if path.name not in names]


def run(submission: dict[str, Any]) -> None:
    """Run the script as ``__main__``, as ``python SCRIPT`` or ``python -m MODULE`` would."""
    sys.path[0] = submission["root"]  # Python put this file's folder there
    if submission["module"] is not None:
        import runpy

        sys.argv[:] = [submission["module"], *submission["arguments"]]
        runpy.run_module(submission["module"], run_name="__main__", alter_sys=True)
        return
    path = Path(submission["script"]).absolute()
    sys.argv[:] = [submission["script"], *submission["arguments"]]
    # The real __main__: functions that are defined in it are then pickled by value.
    main = ModuleType("__main__")
    main.__file__, main.__loader__ = str(path), SourceFileLoader("__main__", str(path))
    sys.modules["__main__"] = main
    exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - its purpose


def failure(error: BaseException, submission: dict[str, Any]) -> dict[str, Any]:
    """What happened, for the process that shows it."""
    summary = traceback.TracebackException.from_exception(error)
    java = getattr(error, "java_exception", None)
    return {
        "full": "".join(summary.format()),
        # PyFlink's own exceptions carry Java's trace as their text, and so does py4j's.
        "java": str(error) if java is not None or hasattr(error, "stack_trace") else None,
        "last": "".join(traceback.format_exception_only(type(error), error)).rstrip(),
        "frames": [[frame.filename, frame.lineno, frame.name, frame.line] for frame in summary.stack],
        "job_id": submission.get("job_id"),
    }


def main(path: str) -> int:
    """Run the submission in the file; 1 if the script fails, the reason being in the report's file then."""
    submission = json.loads(Path(path).read_text(encoding="utf-8"))
    try:
        install(submission)
        run(submission)
    except KeyboardInterrupt:
        if "job_id" in submission:
            sys.stderr.write(f"job {submission['job_id']} goes on at http://{submission['cluster']}\n")
        return 130
    except Exception as error:
        sys.stdout.flush()
        report = json.dumps(failure(error, submission))
        Path(submission["report"]).write_text(report, encoding="utf-8")
        return 1
    finally:
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
