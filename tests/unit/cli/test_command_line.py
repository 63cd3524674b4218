"""The ``wiesel`` command as a process: exit codes, help, what the script sees."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess[str]
Wiesel = Callable[..., Result]


@pytest.fixture
def wiesel(tmp_path: Path) -> Wiesel:
    def call(*arguments: str, script: str | None = None, env: dict[str, str] | None = None) -> Result:
        if script is not None:
            (tmp_path / "job.py").write_text(textwrap.dedent(script))
        return subprocess.run(
            [Path(sys.executable).with_name("wiesel"), *arguments],
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return call


def test_the_script_runs_as_main_with_its_own_arguments_and_folder(wiesel: Wiesel, tmp_path: Path) -> None:
    result = wiesel(
        "run", "-p", "2", "job.py", "--resume", "-c", "x=y",
        script="""
            import sys, __main__
            print([__name__, sys.argv, sys.path[0], __file__, __main__.__dict__ is globals()])
        """,
    )  # fmt: skip
    seen = ["__main__", ["job.py", "--resume", "-c", "x=y"], str(tmp_path), str(tmp_path / "job.py"), True]
    assert (result.stdout, result.stderr, result.returncode) == (f"{seen}\n", "", 0)


def test_a_module_runs_as_main_and_gets_every_argument_after_its_name(wiesel: Wiesel, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys; from . import __name__ as p; print(__name__, p, sys.argv[1:])")
    result = wiesel("run", "-m", "package", "--help")
    assert (result.stdout, result.returncode) == ("__main__ package ['--help']\n", 0)


def test_the_script_finds_wiesel_under_the_name_of_pyflink(wiesel: Wiesel) -> None:
    result = wiesel("run", "job.py", script="import pyflink.version as v; print(v.__version__)")
    assert result.stdout == "2.3.0\n"


def test_the_options_of_the_launch_reach_the_environment(wiesel: Wiesel) -> None:
    result = wiesel(
        "run", "-p", "4", "-c", "a.b=c=d", "--conf", "e=", "--job-id", "j", "--workers", "0", "--resume",
        "--allow-non-restored-state", "--trust-pickle", "--config", "job.py", "job.py",
        script="from wiesel.core import launch; print(launch.current())",
    )  # fmt: skip
    for expected in (
        "script=PosixPath('job.py')", "program_name='job'", "parallelism=4", "configuration={'a.b': 'c=d', 'e': ''}",
        "config_file=PosixPath('job.py')", "resume=True", "allow_non_restored_state=True", "trust_pickle=True",
        "job_id='j'", "workers=0", "fresh=False", "from_savepoint=None", "on_plan=None",
    ):  # fmt: skip
        assert expected in result.stdout


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("pass", 0),
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit()", 0),
        ("raise ValueError('boom')", 1),
        ("this is no Python", 1),
        ("raise KeyboardInterrupt", 130),
        ("from pyflink.java_gateway import get_gateway; get_gateway()", 2),
        ("from wiesel.core.errors import ConfigurationError; raise ConfigurationError('set x')", 2),
        ("from wiesel.core.errors import MissingTopicError; raise MissingTopicError('create it')", 3),
        ("from wiesel.core.errors import CheckpointCorruptError; raise CheckpointCorruptError('x')", 4),
        ("from wiesel.core.errors import FencedError; raise FencedError('x')", 5),
        ("from wiesel.core.errors import FencedError as F, JobExecutionError as J; raise J('x') from F('y')", 5),
        ("from wiesel.core.errors import JobExecutionError as J; raise J('x') from ValueError('y')", 1),
    ],
)
def test_the_exit_code_tells_how_the_script_ended(wiesel: Wiesel, ending: str, code: int) -> None:
    assert wiesel("run", "job.py", script=ending).returncode == code


def test_a_process_that_is_interrupted_says_so_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("import sys; print('up', flush=True); sys.stdin.read()")
    process = subprocess.Popen(
        [Path(sys.executable).with_name("wiesel"), "run", "job.py"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "")


@pytest.mark.parametrize("code", [0, 3])
def test_an_interrupt_of_a_process_that_ends_does_not_change_its_exit_code(wiesel: Wiesel, code: int) -> None:
    script = f"""
        import os, signal, sys, threading

        def late():
            main.join()
            os.kill(os.getpid(), signal.SIGINT)

        main = threading.main_thread()
        threading.Thread(target=late).start()
        sys.exit({code})
    """
    result = wiesel("run", "job.py", script=script)
    assert (result.returncode, result.stderr) == (code, "")


def test_an_error_of_the_scripts_own_shows_its_frames_and_none_of_the_engine(wiesel: Wiesel, tmp_path: Path) -> None:
    script = """
        def parse(text):
            return int(text)

        parse("x")
    """
    stderr = wiesel("run", "job.py", script=script).stderr
    assert stderr.startswith("Traceback (most recent call last):\n")
    assert stderr.count("  File ") == stderr.count(f'  File "{tmp_path / "job.py"}"') == 2
    assert stderr.endswith("ValueError: invalid literal for int() with base 10: 'x'\n")
    assert "wiesel/cli/program.py" in wiesel("run", "--verbose", "job.py").stderr


def test_an_error_of_ours_ends_with_its_message_on_one_line(wiesel: Wiesel) -> None:
    script = """
        from wiesel.core.errors import ConfigurationError
        raise ConfigurationError("parallelism.default is 0: give a positive number")
    """
    stderr = wiesel("run", "job.py", script=script).stderr
    assert stderr.splitlines()[-1] == "error: parallelism.default is 0: give a positive number"
    assert "wiesel.core" not in stderr.replace("from wiesel.core.errors", "")


def test_a_failed_job_shows_the_users_frames_first_and_then_one_line_of_ours(wiesel: Wiesel, tmp_path: Path) -> None:
    script = """
        from wiesel.core.errors import JobExecutionError

        def user_function(value):
            return 1 / value

        try:
            user_function(0)
        except Exception as error:
            raise JobExecutionError("Map (1/2) failed on the record 0") from error
    """
    lines = wiesel("run", "job.py", script=script).stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == ["ZeroDivisionError: division by zero", "error: Map (1/2) failed on the record 0"]
    assert "direct cause" not in "".join(lines)


def test_a_secret_in_an_error_is_hidden(wiesel: Wiesel) -> None:
    stderr = wiesel("run", "job.py", script="raise ValueError('sasl.password=hunter2')").stderr
    assert "hunter2" not in stderr.replace("raise ValueError('sasl.password=hunter2')", "")
    assert "sasl.password=******" in stderr


def test_json_lines_are_all_there_is_on_stderr(wiesel: Wiesel) -> None:
    script = """
        import logging, warnings
        logging.getLogger("wiesel.runtime").info("checkpoint done", extra={"job": "j", "checkpoint_id": 3})
        logging.warning("the script's own")
        warnings.warn("careful")
        raise ValueError("boom")
    """
    result = wiesel("run", "--log-format", "json", "job.py", script=script)
    entries = [json.loads(line) for line in result.stderr.splitlines()]
    assert [entry["level"] for entry in entries] == ["INFO", "WARNING", "WARNING", "ERROR"]
    assert (entries[0]["job"], entries[0]["fields"]) == ("j", {"checkpoint_id": 3})
    assert entries[-1]["message"] == "ValueError: boom"
    assert "job.py" in entries[-1]["exception"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rum"], "'rum' is no command. Did you mean 'run'?"),
        (["job.py"], "'job.py' is no command. To run a script: wiesel run job.py"),
        (["run"], "Missing argument 'SCRIPT'"),
        (["run", "jop.py"], "There is no file 'jop.py'. Did you mean 'job.py'?"),
        (["run", "--resume", "--fresh", "job.py"], "--resume and --fresh contradict each other"),
        (["run", "--resume", "-s", "p", "job.py"], "--resume and --from-savepoint contradict each other"),
        (["run", "-p", "0", "job.py"], "0 is not in the range x>=1"),
        (["run", "-c", "novalue", "job.py"], "'novalue' is no KEY=VALUE"),
        (["run", "--config", "missing.yaml", "job.py"], "'missing.yaml' does not exist"),
        (["run", "--target", "flink", "--resume", "job.py"], "-s PATH"),
        (["run", "--target", "flink", "--detached", "job.py"], "needs --cluster"),
        (["run", "--cluster", "localhost:8081", "job.py"], "without --target flink"),
        (["run", "--resum", "job.py"], "No such option '--resum'"),
    ],
)
def test_wrong_use_exits_with_2_and_names_the_fix(wiesel: Wiesel, arguments: list[str], complaint: str) -> None:
    result = wiesel(*arguments, script="print('ran')")
    assert (result.returncode, result.stdout) == (2, "")
    assert complaint in result.stderr


@pytest.mark.parametrize("command", [[], ["run"], ["plan"], ["version"]])
def test_every_help_page_has_an_example(wiesel: Wiesel, command: list[str]) -> None:
    result = wiesel(*command, "--help")
    assert result.returncode == 0
    assert f"  wiesel {' '.join(command)}".rstrip() in result.stdout.partition("Example")[2]


PLANNED = """
    from wiesel.core import launch
    from wiesel.graph.job_graph import build_job_graph
    from wiesel.graph.stream_graph import StreamGraph

    print("before")
    graph = StreamGraph("flights", (), ())
    try:
        launch.current().on_plan(graph, build_job_graph(graph), None)
    except Exception:
        print("caught")
    print("after")
"""


def test_a_plan_is_shown_alone_on_stdout_and_ends_the_script(wiesel: Wiesel) -> None:
    result = wiesel("plan", "job.py", script=PLANNED)
    assert (result.returncode, result.stderr) == (0, "before\n")
    assert "'flights'" in result.stdout


def test_a_plan_as_json_can_be_read_by_a_program(wiesel: Wiesel) -> None:
    assert json.loads(wiesel("plan", "--json", "job.py", script=PLANNED).stdout) == {"nodes": []}


def test_a_plan_needs_a_job(wiesel: Wiesel) -> None:
    result = wiesel("plan", "job.py", script="pass")
    assert (result.returncode, result.stderr) == (
        1, "error: job ended without calling execute(), so there is no plan to show\n",
    )  # fmt: skip


def imported_by(wiesel: Wiesel, *arguments: str) -> set[str]:
    return set(wiesel(*arguments, script="import sys; print(*sys.modules)").stdout.split())


def test_running_a_script_imports_no_other_room_and_nothing_heavy(wiesel: Wiesel) -> None:
    modules = imported_by(wiesel, "run", "job.py")
    rooms = {name.split(".")[1] for name in modules if name.startswith("wiesel.")}
    assert rooms == {"cli", "core", "compat"}
    heavy = {"asyncio", "cloudpickle", "confluent_kafka", "importlib.metadata", "multiprocessing", "rich", "socket"}
    lazy = {"difflib", "json", "tomllib", "wiesel.cli.kafka", "wiesel.cli.terminal", "wiesel.compat.manifest"}
    assert modules & (heavy | lazy) == set()
