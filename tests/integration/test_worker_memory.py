"""What worker processes hold in memory when something downstream, or one of several inputs, does not move."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.integration.job_process import Workplace, wait_until
from tests.integration.test_workers import CHECKPOINTED, TWO, workers_of


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.mark.parametrize(("record", "megabytes"), [("str(n) * 50", 100), ("bytes(2_000_000)", 350)])
def test_a_slow_receiver_in_another_process_keeps_memory_bounded(place: Workplace, record: str, megabytes: int) -> None:
    place.script(
        f"""
        import time
        from pathlib import Path
        from pyflink.common import WatermarkStrategy
        from pyflink.datastream import StreamExecutionEnvironment
        from pyflink.datastream.connectors.number_seq import NumberSequenceSource

        env = StreamExecutionEnvironment.get_execution_environment()
        numbers = env.from_source(NumberSequenceSource(0, 10**8), WatermarkStrategy.no_watermarks(), "numbers")
        long = numbers.set_parallelism(1).map(lambda n: {record}).set_parallelism(1)
        other = long.partition_custom(lambda key, count: 1, lambda record: 0)  # the subtask in the other process
        other.map(lambda record: (Path("received").touch(), time.sleep(0.01))).print()
        env.execute()
        """
    )
    assert max(peak_megabytes_of(place)) < megabytes


#: One key in a hundred is another one; that key's subtask is slow, and the others have next to nothing to do.
SKEWED_KEY = """
import time
from pathlib import Path
from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

class Slow(KeyedProcessFunction):
    def process_element(self, value, ctx):
        if ctx.get_current_key() == 0:
            Path("received").touch()
            time.sleep(0.01)
        yield value

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_source(NumberSequenceSource(0, 10**8), WatermarkStrategy.no_watermarks(), "numbers")
records = numbers.map(lambda n: (n % 1000 if n % 100 == 0 else 0, str(n) * 50))
records.key_by(lambda record: record[0], key_type=Types.LONG()).process(Slow()).print()
env.execute()
"""

#: One of two subtasks hangs before it has seen a barrier: what comes from the other one waits behind that barrier.
STALLED_BEFORE_A_BARRIER = """
import time
from pathlib import Path
from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import MapFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

class Stall(MapFunction):
    def open(self, runtime_context):
        self.stalls = runtime_context.get_index_of_this_subtask() == 0

    def map(self, n):
        if self.stalls and Path("received").exists():
            time.sleep(3600)
        return n, str(n) * 50

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_source(NumberSequenceSource(0, 10**8), WatermarkStrategy.no_watermarks(), "numbers")
records = numbers.map(Stall()).key_by(lambda record: record[0] % 1000, key_type=Types.LONG())
records.map(lambda record: Path("received").touch()).filter(lambda nothing: nothing).print()
env.execute()
"""

#: One partition of two says nothing after its first record, so no window of the other one ends; they are aligned.
STALLED_PARTITION = """
from pathlib import Path
from pyflink.common import Duration, Time, Types, WatermarkStrategy
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import Source
from pyflink.datastream.window import TumblingEventTimeWindows
from wiesel.connectors.collections.bounded import AlwaysReady, BoundedReader, FixedEnumerator
from wiesel.core.contracts import SourceBatch, SourceSplit

class Partitions(AlwaysReady):
    def create_enumerator(self, context, state):
        splits = [SourceSplit(name, {"next": 0}) for name in ("stalled", "moving")]
        return FixedEnumerator(splits, context.parallelism, state)

    def create_reader(self, context):
        return Reader()

class Reader(BoundedReader):
    paused = ()

    def pause(self, split_ids):
        self.paused = set(split_ids)

    def poll(self, max_records):
        split = self._splits[0] if self._splits else None
        if split is None or split.split_id in self.paused or (split.split_id == "stalled" and split.position["next"]):
            return None
        first = split.position["next"]
        values = list(range(first, first + (1 if split.split_id == "stalled" else max_records)))
        self._splits[0] = SourceSplit(split.split_id, {"next": first + len(values)})
        return SourceBatch(split.split_id, values, list(values))

class Count(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield len(list(elements))

    def clear(self, context):
        pass

def received(n):
    if n == 0:
        Path("received").touch()
    return n, str(n) * 50

strategy = WatermarkStrategy.for_monotonous_timestamps().with_watermark_alignment(
    "group", Duration.of_seconds(1), Duration.of_millis(10)
)
env = StreamExecutionEnvironment.get_execution_environment()
env.get_config().set_auto_watermark_interval(10)
records = env.from_source(Source(Partitions()), strategy, "numbers").map(received)
keyed = records.key_by(lambda record: record[0] % 100, key_type=Types.LONG())
keyed.window(TumblingEventTimeWindows.of(Time.hours(10_000))).process(Count()).print()
env.execute()
"""


@pytest.mark.parametrize(
    ("script", "options"),
    [(SKEWED_KEY, ()), (STALLED_BEFORE_A_BARRIER, CHECKPOINTED), (STALLED_PARTITION, ())],
    ids=["a skewed key", "a subtask that stalls before a barrier", "a partition that stalls"],
)
def test_a_skewed_key_and_a_stalled_partition_keep_memory_bounded(
    place: Workplace, script: str, options: tuple[str, ...]
) -> None:
    place.script(script)
    assert max(peak_megabytes_of(place, *options)) < 100


def peak_megabytes_of(place: Workplace, *options: object) -> list[float]:
    """Run a job that never ends until it has received anything and for four seconds more."""
    with place.start(*TWO, *options, "job.py") as running:
        running.wait_until((place.directory / "received").exists)
        workers = workers_of(running)
        assert len(workers) == 2
        until = time.monotonic() + 4
        wait_until(lambda: time.monotonic() > until)
        assert running.process.poll() is None, running.said
        return peak_megabytes(workers)


def peak_megabytes(pids: Iterable[int]) -> list[float]:
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return [int(re.findall(r"VmHWM:\s+(\d+) kB", text)[0]) / 1024 for text in texts]
