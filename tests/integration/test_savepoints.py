"""`wiesel savepoint`, `wiesel stop` and `wiesel run -s` as users call them, on scripts and on Kafka."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.job_process import DEADLINE_SECONDS, WIESEL, CountJob, Running, Workplace, counted, stop
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

#: Counts numbers by their remainder of ten in an object of a class of the script itself, slowly until it is told to
#: hurry; every count is printed.
MAIN_CLASS_IN_STATE = """
import os
import time
from pyflink.common import WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.common import Types

class Basket:
    def __init__(self):
        self.count = 0

class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.basket = runtime_context.get_state(ValueStateDescriptor("basket", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx):
        basket = self.basket.value() or Basket()
        assert type(basket) is Basket
        basket.count += 1
        self.basket.update(basket)
        yield f"{ctx.get_current_key()} {basket.count}"

def slowly(number):
    if not os.path.exists("hurry"):
        time.sleep(0.0005)
    return number

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_source(NumberSequenceSource(1, 50_000), WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
keyed = numbers.map(slowly).key_by(lambda n: n % 10, key_type=Types.LONG())
keyed.process(Count(), Types.STRING()).uid("count").print()
env.execute()
"""
#: What it prints.
EVERYTHING = Counter(f"{key} {count}" for key in range(10) for count in range(1, 5001))


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def stop_with_savepoint(place: Workplace, running: Running, *options: str) -> Path:
    """Stop the job by the command line; return its savepoint, all else of it deleted, as on another machine."""
    command = [str(WIESEL), "stop", "job-1", "--savepoint", "savepoints", *options]
    told = subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False, **place.surroundings()
    )
    assert told.returncode == exit_codes.OK, told.stderr
    ended = running.end()
    assert ended.code == exit_codes.OK, ended.err
    path = place.directory / told.stdout.strip()
    assert path.parent == place.directory / "savepoints"
    shutil.rmtree(place.directory / "checkpoints")
    return Path(shutil.move(path, place.directory / "moved"))


def printed(text: str) -> Counter[str]:
    lines = (line.rpartition("> ")[2] for line in text.splitlines())
    return Counter(line for line in lines if line.replace(" ", "").isdigit())


def test_objects_of_the_scripts_own_classes_go_from_workers_through_a_savepoint_into_one_process_and_back(
    place: Workplace,
) -> None:
    place.script(MAIN_CLASS_IN_STATE)
    settings = ("-c", "execution.checkpointing.dir=checkpoints", "-c", "execution.checkpointing.interval=1h")
    seen: Counter[str] = Counter()
    start: tuple[object, ...] = ()
    for parallel in (("-p", 2, "--workers", 2), ("-p", 3)):
        with place.start(*settings, *parallel, *start, "job.py") as running:
            running.wait_until(lambda: len(printed(running.said)) >= 500)
            moved = stop_with_savepoint(place, running)
            seen += printed(running.said)
        savepoint = moved.rename(place.directory / f"savepoint-at-{sum(seen.values())}")
        start = ("-s", savepoint)
    (place.directory / "hurry").touch()
    ended = place.run(*settings, "-p", 2, "--workers", 2, *start, "job.py")
    assert ended.code == exit_codes.OK, ended.err
    seen += printed(ended.out)
    assert seen == EVERYTHING


def test_a_process_that_dies_while_it_writes_the_savepoint_of_a_stop_leaves_none_and_resume_loses_nothing(
    place: Workplace,
) -> None:
    place.script(MAIN_CLASS_IN_STATE)
    settings = ("-c", "execution.checkpointing.dir=checkpoints", "-c", "execution.checkpointing.interval=1h")
    # Before the rename of the savepoint's manifest; the others are those of the start and of its checkpoint.
    dying = replace(place, environment={"WIESEL_FAILPOINT": "P3@7"})
    with dying.start(*settings, "job.py") as running:
        running.wait_until(lambda: len(printed(running.said)) >= 500)
        command = [str(WIESEL), "stop", "job-1", "--savepoint", "savepoints"]
        subprocess.run(command, capture_output=True, timeout=DEADLINE_SECONDS, check=False, **place.surroundings())
        assert running.end().code == -signal.SIGKILL
        seen = printed(running.said)
    (savepoint,) = (place.directory / "savepoints").iterdir()
    refused = place.run(*settings, "-s", savepoint, "job.py")
    refused.assert_failed(exit_codes.STATE, str(savepoint), "holds no complete checkpoint")
    (place.directory / "hurry").touch()
    ended = place.run(*settings, "--resume", "job.py")
    assert ended.code == exit_codes.OK, ended.err
    assert seen + printed(ended.out) == EVERYTHING


@pytest.mark.integration
def test_a_job_that_was_stopped_goes_on_elsewhere_at_another_parallelism_exactly_once(
    place: Workplace, kafka: LocalBroker, topic: TopicFactory
) -> None:
    job = CountJob(place, kafka.bootstrap_servers, topic("input", partitions=3), topic("output"))
    lines = ["a", "b", "a", "c", "a", "b"]
    job.produce(*lines)
    with job.publishing(*lines, options=("-p", 2, "--workers", 2)) as running:
        savepoint = stop_with_savepoint(place, running)
    assert job.published() == counted(lines)
    more = ["c", "d", "a"]
    job.produce(*more)
    with job.publishing(*lines, *more, options=("-p", 3, "-s", savepoint)) as running:
        assert stop(running).code == exit_codes.TERMINATED
    assert job.published() == counted([*lines, *more])
