"""What is shown of a failure on Flink. The traces are shortened ones of the real PyFlink 2.3."""

from typing import Any

from wiesel.flink.failure import explain, python_traceback, root_cause

SITE = "/cache/pyflink/2.3.0/lib/python3.11/site-packages"
WORKER = f"""\
An error occurred while calling o8.execute.
: org.apache.flink.runtime.client.JobExecutionException: Job execution failed.
\tat org.apache.flink.runtime.jobmaster.JobResult.toJobExecutionResult(JobResult.java:144)
Caused by: org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy
\t... 4 more
Caused by: java.util.concurrent.ExecutionException: java.lang.RuntimeException: Error received from SDK harness for \
instruction 1: Traceback (most recent call last):
  File "{SITE}/apache_beam/runners/worker/sdk_worker.py", line 311, in _execute
    response = task()
               ^^^^^^
  File "pyflink/fn_execution/beam/beam_operations_fast.pyx", line 177, in pyflink.fn_execution.FunctionOperation.process
  File "{SITE}/pyflink/datastream/data_stream.py", line 311, in process_element
    yield self._map_func(value)
  File "/jobs/job.py", line 5, in crash
    return helper.boom(x)
           ^^^^^^^^^^^^^^
  File "/jobs/helper.py", line 4, in boom
    return 1 // x
           ~~^^~~
ZeroDivisionError: integer division or modulo by zero

\tat java.base/java.util.concurrent.CompletableFuture.reportGet(CompletableFuture.java:396)
\t... 7 more
Caused by: java.lang.RuntimeException: Error received from SDK harness
\tat org.apache.beam.runners.fnexecution.control.FnApiControlClient.lambda(FnApiControlClient.java:180)
"""
USERS = """\
Traceback (most recent call last):
  File "/jobs/job.py", line 5, in crash
    return helper.boom(x)
           ^^^^^^^^^^^^^^
  File "/jobs/helper.py", line 4, in boom
    return 1 // x
           ~~^^~~
ZeroDivisionError: integer division or modulo by zero
"""


def told(**changes: Any) -> dict[str, Any]:
    frames = [
        ["/src/wiesel/flink/driver.py", 120, "run", "exec(code)"],
        ["/jobs/job.py", 9, "<module>", "env.execute()"],
        [f"{SITE}/pyflink/datastream/stream_execution_environment.py", 622, "execute", "return execute()"],
    ]
    return {
        "full": "everything",
        "java": None,
        "last": "Py4JJavaError: long",
        "frames": frames,
        "job_id": None,
        **changes,
    }


def test_of_a_function_that_raises_on_a_worker_the_users_frames_are_left():
    failure = explain(told(java=WORKER))
    assert failure.traceback == USERS
    assert failure.message == "the job failed on Flink"
    assert failure.full == "everything"


def test_the_task_is_named_when_the_cluster_told_it():
    assert explain(told(java=WORKER), "Map -> Sink: Writer (1/2)").message == (
        "the job failed on Flink in 'Map -> Sink: Writer (1/2)'"
    )


def test_frames_in_a_workers_copy_of_a_neighbour_name_the_users_file():
    copy = "/tmp/python-dist-16d08cce/python-files/modules/modules/helper.py"
    failure = explain(told(java=WORKER.replace("/jobs/helper.py", copy)), root="/jobs")
    assert failure.traceback == USERS


def test_of_a_script_that_raises_itself_driver_and_library_are_left_out():
    failure = explain(told(last="TypeError: The input must be a MapFunction"))
    assert failure.traceback == (
        'Traceback (most recent call last):\n  File "/jobs/job.py", line 9, in <module>\n    env.execute()\n'
        "TypeError: The input must be a MapFunction\n"
    )
    assert failure.message == "the script failed"


def test_a_failure_of_javas_is_one_line_with_the_innermost_cause_behind_the_users_frame():
    trace = """\
An error occurred while calling o41.execute.
: java.util.concurrent.ExecutionException: org.apache.kafka.common.KafkaException: Failed to create new client
\tat java.base/java.util.concurrent.CompletableFuture.reportGet(CompletableFuture.java:396)
Caused by: org.apache.kafka.common.config.ConfigException: No resolvable bootstrap urls given in bootstrap.servers
\tat org.apache.kafka.clients.ClientUtils.parseAndValidateAddresses(ClientUtils.java:104)
"""
    failure = explain(told(java=trace))
    assert failure.message == "Flink: ConfigException: No resolvable bootstrap urls given in bootstrap.servers"
    assert "job.py" in failure.traceback
    assert "site-packages" not in failure.traceback


def test_known_failures_come_with_what_to_do():
    slots = "Caused by: org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire"
    assert "--taskmanagers" in explain(told(java=slots)).message
    module = WORKER.replace(
        "ZeroDivisionError: integer division or modulo by zero", "ModuleNotFoundError: No module named 'x'"
    )
    assert "--py-files" in explain(told(java=module)).message
    own = told(last="ModuleNotFoundError: No module named 'wiesel'")
    assert "wiesel check --target flink-2.3" in explain(own).message
    python = 'Caused by: java.io.IOException: Cannot run program "/there/python": error=2, No such file or directory'
    assert "python.executable" in explain(told(java=python)).message


def test_java_without_python_has_no_python_traceback():
    assert python_traceback("java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)") is None


def test_a_trace_without_causes_is_its_own_root():
    trace = "An error occurred while calling o1.\n: java.lang.IllegalStateException: No operators\n\tat a.B.c(B.java:1)"
    assert root_cause(trace) == "IllegalStateException: No operators"
