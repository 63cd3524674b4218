"""Files to files through kills at any moment: every line once in finished files, never a piece of one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

WIESEL = Path(sys.executable).with_name("wiesel")
LINES = 1500
JOB = """
import sys, time
from pyflink.common import Types, WatermarkStrategy
from pyflink.common.serialization import Encoder
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import *

def slowly(line):
    time.sleep(0.0005)
    return line

env = StreamExecutionEnvironment.get_execution_environment()
source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "input").build()
lines = env.from_source(source, WatermarkStrategy.no_watermarks(), "files").map(slowly, Types.STRING())
sink = (
    FileSink.for_row_format("output", Encoder.simple_string_encoder())
    .with_bucket_assigner(BucketAssigner.date_time_bucket_assigner("mm-ss"))
    .with_rolling_policy(RollingPolicy.default_rolling_policy(part_size=1000))
)
if "compact" in sys.argv:
    strategy = FileCompactStrategy.builder().set_size_threshold(3000).build()
    sink = sink.enable_compact(strategy, FileCompactor.concat_file_compactor())
lines.sink_to(sink.build())
env.execute()
"""


def expected() -> Counter[str]:
    return Counter(f"{name} {i}" for name in "abc" for i in range(LINES))


def finished(directory: Path) -> Counter[str]:
    """The lines of all finished files; each file ends with a line's end."""
    lines: Counter[str] = Counter()
    for path in directory.glob("output/*/*"):
        if not path.name.startswith("."):
            text = path.read_text()
            assert text.endswith("\n"), path
            lines.update(text.splitlines())
    return lines


def start(directory: Path, *arguments: str, failpoint: str = "", resume: bool = True) -> subprocess.Popen[bytes]:
    options = ["-p", "2", "-c", "execution.checkpointing.interval=20ms", *(["--resume"] if resume else [])]
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(
            [str(WIESEL), "run", *options, str(directory / "job.py"), *arguments],
            cwd=directory,
            env=os.environ | {"WIESEL_FAILPOINT": failpoint},
            stdout=log,
            stderr=log,
        )


@pytest.fixture
def job(tmp_path):
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "input").mkdir()
    for name in "abc":
        (tmp_path / "input" / name).write_text("".join(f"{name} {i}\n" for i in range(LINES)))
    return tmp_path


def wait_for_progress(directory: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until another file is finished, or the process has ended."""
    deadline = time.monotonic() + 90
    before = sum(1 for _ in directory.glob("output/*/[!.]*"))
    while sum(1 for _ in directory.glob("output/*/[!.]*")) == before and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def finish(directory: Path, *arguments: str) -> None:
    assert start(directory, *arguments).wait(100) == 0, (directory / "log").read_text()
    assert finished(directory) == expected()


def killed_by_itself(process: subprocess.Popen[bytes], directory: Path) -> bool:
    code = process.wait(100)
    assert code in (0, -signal.SIGKILL), (directory / "log").read_text()
    return code != 0


@pytest.mark.parametrize("arguments", [(), ("compact",)])
@pytest.mark.parametrize("pass_number", [1, 4])
def test_committer_killed_between_two_files_finishes_the_others_later(job, arguments, pass_number):
    assert killed_by_itself(start(job, *arguments, failpoint=f"F1@{pass_number}"), job)
    assert killed_by_itself(start(job, *arguments, failpoint=f"F1@{pass_number}"), job)
    found = finished(job)
    assert found and max(found.values()) == 1
    finish(job, *arguments)


@pytest.mark.parametrize("seed", [0, 2, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_job_killed_at_random_moments_writes_every_line_once(job, seed):
    chance = random.Random(seed)
    arguments = ("compact",) if seed == 2 else ()
    for number in range(5):
        process = start(job, *arguments)
        if number % 2:
            wait_for_progress(job, process)
        time.sleep(chance.uniform(0, 0.3) if number % 2 else chance.uniform(0.5, 1.5))
        process.kill()
        process.wait()
        found = finished(job)
        assert found <= expected()
    finish(job, *arguments)


def test_stopped_job_goes_on_with_its_files_when_resumed(job):
    for _ in range(2):
        process = start(job)
        wait_for_progress(job, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(100) in (0, 130), (job / "log").read_text()  # 0: it was through just then
        found = finished(job)
        assert max(found.values()) == 1
        assert found <= expected()
    finish(job)
    assert not list(job.glob("output/*/.*"))
