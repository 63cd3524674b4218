"""How a job is started, stopped, started again and kept alive, as docs/cli.md and docs/exit-codes.md tell it."""

import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.job_process import CountJob, Workplace, counted, stop
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

pytestmark = pytest.mark.integration

FIRST = ["a", "b", "a", "c"]
SECOND = ["b", "a", "d"]


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def job(place: Workplace, kafka: LocalBroker, topic: TopicFactory) -> CountJob:
    return CountJob(place, kafka.bootstrap_servers, topic("input"), topic("output"))


# ------------------------------------------------------------------------------------------ what a start means


def test_a_plain_run_on_an_unfinished_run_in_a_configured_directory_is_refused(job: CountJob) -> None:
    job.leave_unfinished(*FIRST)
    before = sorted(path.relative_to(job.job_directory) for path in job.job_directory.rglob("*"))
    job.run().assert_failed(exit_codes.STATE, str(job.job_directory), "unfinished", "--resume", "--fresh")
    assert sorted(path.relative_to(job.job_directory) for path in job.job_directory.rglob("*")) == before
    job.produce(*SECOND)
    job.resume_and_publish(*FIRST, *SECOND)


def test_a_fresh_run_begins_anew_and_leaves_what_was_published(job: CountJob) -> None:
    job.leave_unfinished(*FIRST)
    ended = job.run("--fresh")
    assert ended.code == exit_codes.OK, ended.err
    assert job.published() == sorted(counted(FIRST) * 2)


def test_in_the_default_directory_a_plain_run_starts_and_one_line_names_resume(job: CountJob) -> None:
    job.checkpoints = job.place.directory / ".wiesel" / "checkpoints"
    job.chooses_directory = False
    job.leave_unfinished(*FIRST)
    ended = job.run()
    assert ended.code == exit_codes.OK, ended.err
    assert [line for line in ended.err.splitlines() if "--resume would have gone on" in line] == ended.err.splitlines()
    assert job.published() == sorted(counted(FIRST) * 2)


def test_resuming_a_job_that_has_finished_says_so_and_does_nothing(job: CountJob) -> None:
    job.produce(*FIRST)
    assert job.run().code == exit_codes.OK
    job.produce(*SECOND)
    ended = job.run("--resume")
    assert (ended.code, "has already finished" in ended.last_line) == (exit_codes.OK, True)
    assert job.published() == counted(FIRST)


def test_resuming_a_job_that_never_ran_starts_it(job: CountJob) -> None:
    job.produce(*FIRST)
    assert job.run("--resume").code == exit_codes.OK
    assert job.published() == counted(FIRST)


def test_a_start_from_a_checkpoint_says_what_repeats_and_repeats_exactly_that(job: CountJob) -> None:
    job.leave_unfinished(*FIRST)
    chosen = job.place.directory / "chosen"
    shutil.copytree(job.newest_checkpoint(), chosen)
    job.produce(*SECOND)
    job.resume_and_publish(*FIRST, *SECOND)
    repeated = Counter(counted([*FIRST, *SECOND])) - Counter(counted(FIRST))
    twice = sorted([*counted([*FIRST, *SECOND]), *repeated.elements()])
    with job.publishing_exactly(twice, ("-s", chosen)) as running:
        ended = stop(running)
    assert [line for line in ended.err.splitlines() if str(chosen) in line and "published again" in line] != []
    # The new history is the job's newest from now on.
    job.produce("z")
    with job.publishing_exactly([*twice, "z 1"], ("--resume",)) as running:
        assert stop(running).code == exit_codes.TERMINATED


def test_a_missing_checkpoint_is_named(job: CountJob) -> None:
    ended = job.run("-s", "nowhere/chk-7")
    ended.assert_failed(exit_codes.STATE, "nowhere/chk-7", "holds no complete checkpoint", "chk-…")


# ------------------------------------------------------------------------------------------------- stopping


SAYS = """
def per_record(line):
    print("seen", line, flush=True)
    return line
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, exit_codes.INTERRUPTED), (signal.SIGTERM, exit_codes.TERMINATED)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_signal_takes_a_final_checkpoint_and_delivers_what_it_decides_and_resume_goes_on(
    job: CountJob, number: signal.Signals, code: int
) -> None:
    job.write(SAYS)
    job.produce(*FIRST)
    # No periodic checkpoint comes in time, so whatever is published is so by the final one.
    with job.start("-c", "execution.checkpointing.interval=1h") as running:
        running.wait_until(lambda: "seen c" in running.said)
        ended = stop(running, number)
    assert ended.code == code, ended.err
    assert "--resume goes on from here" in ended.last_line
    assert job.published() == counted(FIRST)
    job.produce(*SECOND)
    job.resume_and_publish(*FIRST, *SECOND)


@pytest.mark.parametrize("wait", ["while True: pass", "time.sleep(3600)", "hold.acquire()"])
def test_a_second_signal_ends_the_job_at_once_even_in_a_function_that_never_returns(
    place: Workplace, wait: str
) -> None:
    place.script(
        f"""
        import threading, time
        from pyflink.datastream import StreamExecutionEnvironment
        def hang(number):
            hold = threading.Lock()
            hold.acquire()
            print("hanging", flush=True)
            {wait}
        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection([1]).map(hang).print()
        env.execute()
        """
    )
    with place.start("job.py") as running:
        running.wait_until(lambda: "hanging" in running.said)
        running.signal(signal.SIGTERM)
        running.wait_until(lambda: "a second signal ends the job at once" in running.said)
        running.signal(signal.SIGINT)
        assert running.process.wait(30) == exit_codes.INTERRUPTED


def test_a_second_copy_of_a_running_job_is_refused_and_does_not_disturb_it(job: CountJob) -> None:
    job.produce(*FIRST)
    with job.publishing(*FIRST) as running:
        owner = running.process.pid
        ended = job.run("--resume")
        ended.assert_failed(exit_codes.OWNED_BY_ANOTHER, f"pid {owner}", str(job.job_directory), "--job-id")
        job.run("--fresh").assert_failed(exit_codes.OWNED_BY_ANOTHER, f"pid {owner}")
        job.produce(*SECOND)
        running.wait_until(lambda: len(job.published()) == len(FIRST + SECOND))
        assert stop(running).code == exit_codes.TERMINATED
    assert job.published() == counted([*FIRST, *SECOND])


# ------------------------------------------------------------------------------------------------ restarts

FAILS_AT_FIRST = """
import pathlib
def per_record(line):
    tries = pathlib.Path("tries")
    before = len(tries.read_text()) if tries.exists() else 0
    if line == "d" and before < 2:
        tries.write_text("x" * (before + 1))
        raise ConnectionError("the database is away")
    return line
"""


def fixed_delay(attempts: int) -> tuple[str, ...]:
    keys = {"type": "fixed-delay", "fixed-delay.attempts": attempts, "fixed-delay.delay": "50ms"}
    return tuple(text for key, value in keys.items() for text in ("-c", f"restart-strategy.{key}={value}"))


def test_a_function_that_fails_twice_and_then_works_is_restarted_without_loss_or_repetition(job: CountJob) -> None:
    job.write(FAILS_AT_FIRST)
    job.produce(*FIRST)
    with job.publishing(*FIRST, options=fixed_delay(3)) as running:
        job.produce(*SECOND)
        running.wait_until(lambda: len(job.published()) == len(FIRST + SECOND))
        ended = stop(running)
    assert job.published() == counted([*FIRST, *SECOND])
    told = [line for line in ended.err.splitlines() if "The job failed and restarts in " in line]
    assert len(told) == 2
    assert all("ConnectionError: the database is away" in line and "record 'd'" in line for line in told)


def test_when_the_restarts_are_used_up_the_job_fails_and_resume_goes_on(job: CountJob) -> None:
    job.write(FAILS_AT_FIRST)
    job.produce(*FIRST, *SECOND)
    ended = job.run(*fixed_delay(1))
    ended.assert_failed(exit_codes.FAILED, "ConnectionError: the database is away", "operator 'check'")
    ended = job.run("--resume", *fixed_delay(1))
    assert ended.code == exit_codes.OK, ended.err
    assert job.published() == counted([*FIRST, *SECOND])
