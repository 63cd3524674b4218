"""Checkpoints that are damaged, gone or cannot be written: the start is refused, and nothing is lost or repeated."""

import os
import resource
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.integration.job_process import NO_RESTART, CountJob, Ended, Workplace, counted, stop
from wiesel.broker.admin import Admin
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

pytestmark = pytest.mark.integration

LINES = ["a", "b", "a", "c", "a", "b"]
MORE = ["c", "d", "a"]
SAYS = """
def per_record(line):
    print("seen", line, flush=True)
    return line
"""
_numbers = count(1)
RETRIES = ("-c", "restart-strategy.type=exponential-delay")


def leave_undelivered(job: CountJob) -> None:
    """Kill the job between its final checkpoint, which decides the counts of ``LINES``, and their publication."""
    job.write(SAYS)
    job.produce(*LINES, "end")
    place = job.place
    job.place = replace(place, environment={"WIESEL_FAILPOINT": "P4@1"})
    with job.start("-p", 1, "-c", "execution.checkpointing.interval=1h") as running:
        running.wait_until(lambda: "seen end" in running.said)
        assert stop(running).code == -signal.SIGKILL
    job.place = place


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def job(place: Workplace, kafka: LocalBroker, topic: TopicFactory) -> CountJob:
    return CountJob(place, kafka.bootstrap_servers, topic("input"), topic("output"))


@pytest.fixture(scope="module")
def undelivered(kafka: LocalBroker, tmp_path_factory: pytest.TempPathFactory) -> CountJob:
    """A job with decided and unpublished output; it is copied before anything is done to it."""
    admin = Admin(kafka.bootstrap_servers)
    for name in ("damaged-input", "damaged-output"):
        admin.create_topic(name, 1)
    place = Workplace(tmp_path_factory.mktemp("undelivered"))
    job = CountJob(place, kafka.bootstrap_servers, "damaged-input", "damaged-output")
    leave_undelivered(job)
    return job


@pytest.fixture
def copy(undelivered: CountJob) -> CountJob:
    copied = replace(undelivered)
    copied.checkpoints = undelivered.place.directory / f"copy-{next(_numbers)}"
    shutil.copytree(undelivered.checkpoints, copied.checkpoints)
    return copied


# ---------------------------------------------------------------------------------------------------- damage


def flip(position: float) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[int(position * (len(content) - 1))] ^= 1
        file.write_bytes(content)

    return damage


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def empty(file: Path) -> None:
    os.truncate(file, 0)


DAMAGES = {
    "head": flip(0),
    "middle": flip(0.5),
    "tail": flip(1),
    "cut": cut,
    "empty": empty,
    "gone": Path.unlink,
}
FILES = {"metadata": "chk-*/_metadata", "state": "chk-*/*.state", "segment": "wal/*/*.wal", "store": "_store"}
CASES = [
    (file, damage)
    for file in FILES
    for damage in DAMAGES
    if (file, damage) not in {("store", "gone"), ("store", "tail"), ("state", "head"), ("state", "tail")}
]


@pytest.mark.parametrize(("file", "damage"), CASES, ids=[" ".join(case) for case in CASES])
def test_a_damaged_file_ends_the_start_which_names_it_and_publishes_nothing(
    copy: CountJob, file: str, damage: str
) -> None:
    damaged = max(copy.job_directory.glob(FILES[file]), key=lambda path: path.stat().st_size)
    DAMAGES[damage](damaged)
    before = sorted(copy.job_directory.rglob("*"))
    # Corruption is never retried, whatever the restart strategy.
    ended = copy.run("-p", 1, "--resume", *RETRIES)
    named = damaged.parent if (file, damage) == ("metadata", "gone") else damaged
    ended.assert_failed(exit_codes.STATE, str(named))
    assert set(before) <= set(copy.job_directory.rglob("*"))
    assert copy.published() == []


def test_a_newest_checkpoint_that_is_gone_is_not_replaced_by_an_older_one(job: CountJob) -> None:
    job.produce(*LINES)
    with job.publishing(*LINES, options=("-c", "execution.checkpointing.num-retained=3")) as running:
        assert stop(running).code == exit_codes.TERMINATED
    newest = job.newest_checkpoint()
    kept = newest.rename(job.place.directory / "kept")
    assert job.newest_checkpoint() != newest
    job.run("--resume", *RETRIES).assert_failed(
        exit_codes.STATE, str(newest), "not there any more", "no older checkpoint", "-s PATH", "--fresh"
    )
    kept.rename(newest)
    job.produce(*MORE)
    job.resume_and_publish(*LINES, *MORE)


def test_after_the_damage_is_repaired_everything_is_delivered_exactly_once(job: CountJob) -> None:
    leave_undelivered(job)
    metadata = job.newest_checkpoint() / "_metadata"
    flip(0.5)(metadata)
    job.run("--resume").assert_failed(exit_codes.STATE, str(metadata), "is damaged", "-s PATH", "--fresh")
    flip(0.5)(metadata)
    job.produce(*MORE)
    job.resume_and_publish(*LINES, "end", *MORE)


def test_the_ways_out_that_the_message_names_are_open(job: CountJob) -> None:
    leave_undelivered(job)
    empty(job.newest_checkpoint() / "_metadata")
    ended = job.run("--fresh")
    assert ended.code == exit_codes.OK, ended.err
    assert job.published() == counted([*LINES, "end"])


# ------------------------------------------------------------------------------------- what cannot be written


def test_a_checkpoint_directory_that_cannot_be_made_is_refused_before_the_job_starts(job: CountJob) -> None:
    job.produce(*LINES)
    in_the_way = job.place.directory / "file"
    in_the_way.write_text("")
    job.checkpoints = in_the_way / "checkpoints"
    job.run().assert_failed(exit_codes.USAGE, str(job.checkpoints), "cannot be written", "execution.checkpointing.dir")
    job.checkpoints = job.place.directory / "checkpoints"
    assert job.run("--resume").code == exit_codes.OK
    assert job.published() == counted(LINES)


def limit_files(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_log_that_cannot_be_written_fails_the_job_and_resume_is_exact(job: CountJob) -> None:
    job.produce(*LINES)
    with job.publishing(*LINES, preexec_fn=limit_files(60_000)) as running:
        job.produce("x" * 100_000, *MORE)
        ended = running.end()
    ended.assert_failed(exit_codes.STATE, "cannot write its log", str(job.job_directory), "Make room")
    job.resume_and_publish(*LINES, "x" * 100_000, *MORE)


def test_a_job_goes_on_by_itself_when_there_is_room_again(job: CountJob) -> None:
    soft_limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
    patient = ("-p", 1, "-c", "restart-strategy.type=fixed-delay", "-c", "restart-strategy.fixed-delay.delay=100ms")
    attempts = ("-c", "restart-strategy.fixed-delay.attempts=1000")
    job.produce(*LINES)
    with job.publishing(*LINES, options=(*patient, *attempts), preexec_fn=soft_limit) as running:
        job.produce("x" * 100_000, *MORE)
        running.wait_until(lambda: running.said.count("The job failed and restarts in ") >= 2)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        everything = [*LINES, "x" * 100_000, *MORE]
        running.wait_until(lambda: len(job.published()) >= len(everything))
        assert stop(running).code == exit_codes.TERMINATED
    assert job.published() == counted(everything)


def test_a_checkpoint_failure_that_is_tolerated_is_told_and_the_job_goes_on(job: CountJob) -> None:
    soft_limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
    tolerant = ("-p", 1, "-c", "execution.checkpointing.tolerable-failed-checkpoints=1000")
    arguments = job.arguments(*tolerant, script=("--unbounded", "--guarantee", "AT_LEAST_ONCE"))
    job.produce("x" * 100_000)
    with job.place.start(*arguments, preexec_fn=soft_limit) as running:
        running.wait_until(lambda: running.said.count("A checkpoint failed, and the job goes on") >= 2)
        assert "File too large" in running.said
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        running.wait_until(lambda: any(job.job_directory.glob("chk-*/_metadata")))
        job.produce(*MORE)
        running.wait_until(lambda: len(job.published()) >= 1 + len(MORE))
        assert stop(running).code == exit_codes.TERMINATED
    assert job.published() == counted(["x" * 100_000, *MORE])


STATE_ONLY = """
from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        self.kept = runtime_context.get_state(ValueStateDescriptor("kept", Types.STRING()))

    def process_element(self, value, ctx):
        self.kept.update(value * 1000)

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(60_000)
lines = env.from_collection([str(number) for number in range(100)], Types.STRING())
lines.key_by(lambda line: line, key_type=Types.STRING()).process(Keep(), output_type=Types.STRING()).print()
env.execute()
"""


def test_state_that_cannot_be_written_fails_the_job_with_the_file_and_the_fix(place: Workplace) -> None:
    place.script(STATE_ONLY)
    arguments = ("-p", 1, *NO_RESTART, "-c", f"execution.checkpointing.dir={place.directory / 'c'}", "job.py")
    ended = place.run(*arguments, preexec_fn=limit_files(60_000))
    ended.assert_failed(exit_codes.STATE, str(place.directory / "c"), "File too large", "Make room")
    assert place.run("--resume", *arguments).code == exit_codes.OK


def in_own_mounts(place: Workplace, story: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount small disks, which nobody else sees and which are gone afterwards."""
    alone = ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode != 0:
        pytest.skip("no mount namespaces here, so no small disk can be made")
    return subprocess.run(
        [*alone, "sh", "-c", story], capture_output=True, text=True, timeout=110, check=False, **place.surroundings()
    )


def test_a_read_only_disk_is_named_before_the_job_starts(job: CountJob) -> None:
    job.checkpoints.mkdir()
    command = shlex.join(job.place.command(*job.arguments()))
    story = f"mount -t tmpfs -o ro tmpfs {job.checkpoints} || exit 99; {command}"
    run = in_own_mounts(job.place, story)
    Ended(run.returncode, run.stdout, run.stderr).assert_failed(
        exit_codes.USAGE, str(job.checkpoints), "Read-only file system", "execution.checkpointing.dir"
    )


def test_on_a_full_disk_the_job_fails_and_goes_on_when_there_is_room(job: CountJob) -> None:
    job.produce("x" * 200_000, *LINES)
    job.checkpoints.mkdir()
    command = shlex.join(job.place.command(*job.arguments("--resume")))
    story = f"""
        mount -t tmpfs -o size=1m tmpfs {job.checkpoints} || exit 99
        head -c 900k /dev/zero > {job.checkpoints}/ballast
        {command}; echo "first $?" >&2
        rm {job.checkpoints}/ballast
        {command}; echo "second $?" >&2
    """
    first, second = in_own_mounts(job.place, story).stderr.split("first 4\n")
    assert "No space left on device" in first
    assert "Make room" in first
    assert second == "second 0\n"
    assert job.published() == counted(["x" * 200_000, *LINES])
