"""Jobs in worker processes: the same results as inline, and nothing lost when a process dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.job_process import (
    DEADLINE_SECONDS,
    WIESEL,
    CountJob,
    Running,
    Workplace,
    counted,
    stop,
    wait_until,
)
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker

CHECKPOINTED = ("-c", "execution.checkpointing.interval=100ms", "-c", "execution.checkpointing.dir=checkpoints")
RESTARTED = (
    *("-c", "restart-strategy.type=fixed-delay"),
    *("-c", "restart-strategy.fixed-delay.delay=100ms", "-c", "restart-strategy.fixed-delay.attempts=5"),
)
TWO = ("-p", 2, "--workers", 2)

WORD_COUNT = """
from pyflink.datastream import StreamExecutionEnvironment

class Word:  # a class of the script itself, on its way between processes
    def __init__(self, text):
        self.text = text

env = StreamExecutionEnvironment.get_execution_environment()
lines = env.from_collection([f"to be or not to be {n % 10}" for n in range(200)])
words = lines.flat_map(lambda line: [Word(text) for text in line.split()])
counts = words.key_by(lambda word: word.text).map(lambda word: (word.text, 1)).key_by(lambda pair: pair[0])
counts.reduce(lambda a, b: (a[0], a[1] + b[1])).map(lambda pair: f"{pair[0]} {pair[1]}").print()
env.execute()
"""

#: Counts numbers by their remainder of ten, slowly until it is told to hurry; every count of every key is printed.
SLOW_COUNT = """
import os
import time
from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor

class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value, ctx):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield f"{ctx.get_current_key()} {count}"

def slowly(number):
    if not os.path.exists("hurry"):
        time.sleep(0.0005)
    return number

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_source(NumberSequenceSource(1, 10 * COUNT), WatermarkStrategy.no_watermarks(), "numbers")
numbers.map(slowly).key_by(lambda n: n % 10, key_type=Types.LONG()).process(Count(), Types.STRING()).print()
env.execute()
"""


def slow_count(place: Workplace, count: int = 5000) -> set[str]:
    """Write the job that counts ten keys up to ``count`` each, and return what it prints."""
    place.script(SLOW_COUNT.replace("COUNT)", f"{count})"))
    return {f"{key} {n}" for key in range(10) for n in range(1, count + 1)}


def hurry(place: Workplace) -> None:
    """Let the slow count come to its end."""
    (place.directory / "hurry").touch()


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def workers_of(running: Running) -> list[int]:
    children = Path(f"/proc/{running.process.pid}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return sorted(pid for pid in pids if b"worker_main" in Path(f"/proc/{pid}/cmdline").read_bytes())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def has_checkpoint(place: Workplace, at_least: int = 1) -> bool:
    return len(list(place.directory.glob("checkpoints/*/chk-*/_metadata"))) >= at_least


def newest_checkpoint(place: Workplace) -> int:
    found = place.directory.glob("checkpoints/*/chk-*/_metadata")
    return max((int(path.parent.name.removeprefix("chk-")) for path in found), default=0)


def counts_in(text: str) -> set[str]:
    return set(re.findall(r"^(?:\d+> )?(\d+ \d+)$", text, re.MULTILINE))


def started(place: Workplace, *options: object) -> Running:
    """Start the slow count and return once a checkpoint is complete."""
    running = place.start(*CHECKPOINTED, *options, "job.py")
    try:
        running.wait_until(lambda: newest_checkpoint(place) >= 1 and len(counts_in(running.said)) > 50)
    except BaseException:
        running.__exit__(None, None, None)
        raise
    return running


def lines_of(place: Workplace, *options: object) -> list[str]:
    ended = place.run(*options, "job.py")
    assert ended.code == 0, ended.err
    return sorted(line.rpartition("> ")[2] for line in ended.out.splitlines())


@pytest.mark.parametrize("workers", [2, 3])
def test_a_word_count_in_workers_is_the_one_of_a_single_process(place: Workplace, workers: int) -> None:
    place.script(WORD_COUNT)
    expected = lines_of(place)
    assert len(expected) == 200 * 7
    assert lines_of(place, "-p", 3, "--workers", workers) == expected


def test_a_killed_worker_restarts_the_job_from_its_checkpoint_and_counts_stay_exact(place: Workplace) -> None:
    expected = slow_count(place)
    with started(place, *TWO, *RESTARTED) as running:
        before = workers_of(running)
        assert len(before) == 2
        os.kill(before[1], signal.SIGKILL)
        hurry(place)
        ended = running.end()
    assert ended.code == 0, ended.err
    assert "Worker 2 of 2" in ended.err and "SIGKILL" in ended.err
    assert counts_in(ended.err) == expected
    assert [pid for pid in before if is_alive(pid)] == []


def test_a_killed_worker_fails_the_job_when_it_may_not_restart(place: Workplace) -> None:
    slow_count(place)
    with started(place, *TWO, "-c", "restart-strategy.type=none") as running:
        os.kill(workers_of(running)[0], signal.SIGKILL)
        ended = running.end()
    assert ended.code == 1
    assert ended.last_line.startswith("error: Worker 1 of 2") and "SIGKILL" in ended.last_line


def test_workers_are_gone_two_seconds_after_their_parent_was_killed(place: Workplace) -> None:
    slow_count(place)
    with started(place, *TWO) as running:
        workers = workers_of(running)
        running.signal(signal.SIGKILL)
        running.process.wait()
        deadline = time.monotonic() + 2
        wait_until(lambda: not any(map(is_alive, workers)))
        assert time.monotonic() < deadline


def test_a_job_whose_parent_was_killed_is_resumed_at_once_and_counts_stay_exact(place: Workplace) -> None:
    expected = slow_count(place)
    with started(place, *TWO) as running:
        running.signal(signal.SIGKILL)
        said = running.end().err
    hurry(place)
    ended = place.run(*CHECKPOINTED, *TWO, "--resume", "job.py")
    assert ended.code == 0, ended.err
    assert counts_in(said) | counts_in(ended.out) == expected


def test_a_job_goes_on_with_another_number_of_workers(place: Workplace) -> None:
    expected = slow_count(place)
    said = ""
    for options in (("-p", 1, "--workers", 1), TWO):
        with started(place, *options, "--resume") as running:
            wait_for = newest_checkpoint(place) + 2
            running.wait_until(lambda wait_for=wait_for: newest_checkpoint(place) >= wait_for)  # type: ignore[misc]
            running.signal(signal.SIGTERM)
            ended = running.end()
        assert ended.code == 128 + signal.SIGTERM, ended.err
        said += ended.err
    assert counts_in(said) != expected
    hurry(place)
    ended = place.run(*CHECKPOINTED, "-p", 1, "--workers", 1, "--resume", "job.py")
    assert ended.code == 0, ended.err
    assert counts_in(said + ended.out) == expected


def test_a_running_job_in_workers_with_state_on_disk_is_rescaled_and_counts_stay_exact(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = place.directory / "run"
    sockets.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))  # the job and its client meet there, and no others
    expected = slow_count(place, 8000)
    with started(place, *TWO, "-c", "state.backend.type=rocksdb", "--job-id", "rescaled") as running:
        for parallelism in (3, 1):
            before = newest_checkpoint(place)
            command = [str(WIESEL), "rescale", "rescaled", "-p", str(parallelism)]
            asked = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
            assert asked.returncode == 0, asked.stderr
            said = f"the job goes on with parallelism {parallelism}"
            running.wait_until(lambda: said in running.said and newest_checkpoint(place) > before + 1)  # noqa: B023
        hurry(place)
        ended = running.end()
    assert ended.code == 0, ended.err
    assert counts_in(ended.out + ended.err) == expected


def test_ctrl_c_in_a_terminal_stops_the_job_with_a_checkpoint(place: Workplace) -> None:
    """A terminal sends SIGINT to every process of the group, workers too."""
    slow_count(place)
    running = place.start(*CHECKPOINTED, *TWO, "job.py", start_new_session=True)
    with running:
        running.wait_until(lambda: newest_checkpoint(place) >= 1)
        os.killpg(running.process.pid, signal.SIGINT)
        ended = running.end()
    assert ended.code == 128 + signal.SIGINT, ended.err
    assert "Traceback" not in ended.err


def test_a_function_that_fails_in_a_worker_shows_the_users_frames(place: Workplace) -> None:
    place.script(
        """
        from pyflink.datastream import StreamExecutionEnvironment

        class Refused(Exception):
            def __init__(self, number, reason):  # cannot be unpickled: its arguments are not those of Exception
                super().__init__(f"{number} is {reason}")

        def check(number):
            if number == 7:
                raise Refused(number, "odd")
            return number

        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection(list(range(10))).rebalance().map(check).name("check").print()
        env.execute()
        """
    )
    ended = place.run(*TWO, "-c", "restart-strategy.type=none", "job.py")
    ended.assert_failed(1, "Refused: 7 is odd", "operator 'check'", "record 7")
    assert 'raise Refused(number, "odd")' in ended.err and ", in check" in ended.err


def test_a_function_that_cannot_be_opened_in_a_worker_fails_the_job(place: Workplace) -> None:
    place.script(
        """
        from pyflink.datastream import MapFunction, StreamExecutionEnvironment

        class Broken(MapFunction):
            def open(self, runtime_context):
                raise FileNotFoundError("model.bin")

            def map(self, value):
                return value

        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection([1]).map(Broken()).print()
        env.execute()
        """
    )
    ended = place.run("--workers", 1, "-c", "restart-strategy.type=none", "job.py")
    ended.assert_failed(1, "FileNotFoundError: model.bin")
    assert 'raise FileNotFoundError("model.bin")' in ended.err


def test_results_that_this_process_collects_need_it_to_run_the_job(place: Workplace) -> None:
    place.script(
        """
        from pyflink.datastream import StreamExecutionEnvironment

        env = StreamExecutionEnvironment.get_execution_environment()
        print(list(env.from_collection([1]).execute_and_collect()))
        """
    )
    ended = place.run(*TWO, "job.py")
    assert ended.code == 2
    assert "Leave --workers out" in ended.last_line


def test_sys_exit_in_a_function_ends_the_job_and_says_where(place: Workplace) -> None:
    place.script(
        """
        import sys
        from pyflink.datastream import StreamExecutionEnvironment

        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection([1]).map(lambda n: sys.exit(3)).name("leave").print()
        env.execute()
        """
    )
    place.run("--workers", 1, "job.py").assert_failed(1, "SystemExit: 3", "operator 'leave'")


def test_the_directorys_lock_is_held_by_workers_and_not_by_what_the_users_code_starts(place: Workplace) -> None:
    place.script(
        """
        import multiprocessing, os, sys, time
        from pyflink.datastream import StreamExecutionEnvironment

        def locks():
            fds = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
            return sum(os.path.exists(fd) and os.readlink(fd).endswith("_lock") for fd in fds)

        def look(number):
            context = multiprocessing.get_context("fork")
            ours, theirs = context.Pipe()
            child = context.Process(target=lambda: theirs.send(locks()))
            child.start()
            child.join()
            return f"worker {locks()}, its child {ours.recv()}"

        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection([1]).map(look).print()
        env.execute()
        """
    )
    ended = place.run(*CHECKPOINTED, "-p", 1, "--workers", 1, "job.py")
    assert ended.out.splitlines() == ["worker 1, its child 0"], ended.err


@pytest.mark.integration
def test_output_is_exactly_once_though_a_worker_is_killed(
    place: Workplace, kafka: LocalBroker, topic: TopicFactory
) -> None:
    job = CountJob(place, kafka.bootstrap_servers, topic("input", partitions=2), topic("output"))
    values = [f"key {n % 7}" for n in range(500)]
    job.produce(*values)
    with job.publishing(*values, options=(*TWO, *RESTARTED)) as running:
        os.kill(workers_of(running)[0], signal.SIGKILL)
        more = [f"key {n % 5}" for n in range(500)]
        job.produce(*more)
        running.wait_until(lambda: len(job.published()) >= len(values) + len(more))
        os.kill(workers_of(running)[-1], signal.SIGKILL)
        job.produce(*values)
        running.wait_until(lambda: len(job.published()) >= 2 * len(values) + len(more))
        ended = stop(running)
    assert ended.code == 128 + signal.SIGTERM, ended.err
    assert job.published() == counted([*values, *more, *values])


def test_a_failure_of_close_in_a_worker_fails_the_job_as_it_does_in_one_process(place: Workplace) -> None:
    place.script("""
        from pyflink.datastream import MapFunction, StreamExecutionEnvironment

        class Buffered(MapFunction):
            def map(self, value):
                return value

            def close(self):
                raise OSError("the rest could not be written")

        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection(range(4)).rebalance().map(Buffered()).name("Buffered").print()
        env.execute()
    """)
    for options in ((), TWO):
        ended = place.run(*options, "job.py")
        ended.assert_failed(1, "the rest could not be written", "Buffered")
        assert sorted(line.rpartition("> ")[2] for line in ended.out.splitlines()) == ["0", "1", "2", "3"]
