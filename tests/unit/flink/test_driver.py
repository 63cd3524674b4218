"""The driver, run as the process that it is, with a small package in the place of PyFlink."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wiesel.flink import driver
from wiesel.flink.submission import Submission

PYFLINK = {
    "common": """
class Configuration(dict):
    def set_string(self, key, value): self[key] = value
    def add_all(self, other): self.update(other)
""",
    "datastream": """
class DataStream:
    def execute_and_collect(self): return []
class StreamExecutionEnvironment:
    def __init__(self, configuration): self.configuration = dict(configuration or {})
    @staticmethod
    def get_execution_environment(configuration=None): return StreamExecutionEnvironment(configuration)
    def configure(self, configuration): self.configuration.update(configuration)
    def execute(self, name=None): pass
    def execute_async(self, name=None): pass
""",
}


@pytest.fixture
def run(tmp_path: Path) -> Any:
    for name, text in PYFLINK.items():
        package = tmp_path / "library" / "pyflink" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(text)
    (tmp_path / "jobs").mkdir()

    def run(script: str, *arguments: str, configuration: dict[str, str] | None = None) -> tuple[Any, Any]:
        job, report = tmp_path / "jobs" / "job.py", tmp_path / "report.json"
        job.write_text(script)
        submission = Submission(str(job), None, list(arguments), str(job.parent), str(report), configuration or {})
        told = tmp_path / "submission.json"
        told.write_text(submission.to_json())
        answer = subprocess.run(
            [sys.executable, driver.__file__, told],
            env={"PYTHONPATH": str(tmp_path / "library")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return answer, json.loads(report.read_text()) if report.exists() else None

    return run


def test_the_script_is_main_with_its_own_arguments_and_neighbours(run, tmp_path):
    (tmp_path / "jobs" / "beside.py").write_text("word = 'found'")
    script = "import sys, beside\nprint(__name__, sys.argv[1:], beside.word, sys.modules['__main__'].__file__)"
    answer, report = run(script, "--its", "own")
    assert answer.stdout == f"__main__ ['--its', 'own'] found {tmp_path}/jobs/job.py\n"
    assert (answer.returncode, report) == (0, None)


ENVIRONMENT = """
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
own = Configuration()
own.set_string("b", "script")
print(StreamExecutionEnvironment.get_execution_environment().configuration)
print(StreamExecutionEnvironment.get_execution_environment(own).configuration)
"""


def test_settings_of_the_launch_reach_each_environment_and_the_scripts_win(run):
    answer, _ = run(ENVIRONMENT, configuration={"a": "launch", "b": "launch"})
    assert answer.stdout.splitlines() == ["{'a': 'launch', 'b': 'launch'}", "{'a': 'launch', 'b': 'script'}"]


def test_what_the_script_raises_is_reported_and_not_printed(run):
    answer, report = run("def f():\n    raise KeyError('k')\nf()")
    assert (answer.returncode, answer.stderr) == (1, "")
    assert report["last"] == "KeyError: 'k'"
    assert [frame[2] for frame in report["frames"]][-2:] == ["<module>", "f"]
    assert report["java"] is None


def test_the_scripts_own_exit_code_is_the_drivers(run):
    answer, report = run("raise SystemExit(7)")
    assert (answer.returncode, report) == (7, None)


def test_an_exception_of_pyflinks_brings_javas_trace(run):
    _, report = run("class JavaError(Exception):\n    java_exception = object()\nraise JavaError('Caused by: x')")
    assert report["java"] == "Caused by: x"


def test_jars_that_the_script_names_are_not_added_again():
    needed = ["/lib/flink-python-2.3.0.jar", "/lib/org_flink-sql-connector-kafka_5.0.0-2.2.jar"]
    assert driver.missing_jars([], needed) == [f"file://{path}" for path in needed]
    assert driver.missing_jars(["file:///own/flink-python-2.3.0.jar"], needed[:1]) == []


def test_a_kafka_connector_of_the_scripts_own_takes_the_place_of_ours():
    needed = ["/lib/flink-python-2.3.0.jar", "/lib/org_flink-sql-connector-kafka_5.0.0-2.2.jar"]
    given = ["file:///own/flink-sql-connector-kafka-4.0.1-2.0.jar"]
    assert driver.missing_jars(given, needed) == ["file:///lib/flink-python-2.3.0.jar"]
