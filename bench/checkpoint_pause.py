"""How long checkpoints stop the records of a keyed job, on the heap backend, by number and kind of keys.

    .venv/bin/python -m bench.checkpoint_pause              # writes bench/results/checkpoint_pause.json
    .venv/bin/python -m bench.checkpoint_pause --keys 100000 --values dict

One task reads numbers and updates a state of each key in turn; the keys are all there before anything is measured. A
stop is the time between two records that are neighbours in the stream, as a function behind the state sees it: slices
of the snapshot, the barrier and the garbage collector all show in it. ``…_ms`` is time that passed, also that in which
the machine did something else; ``work_…_ms`` is the processor time of the task's own thread.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any, ClassVar

from bench.machine import describe_machine
from wiesel.cluster.driver import JobDriver
from wiesel.cluster.local import run_job
from wiesel.cluster.options import JobOptions
from wiesel.common import Types, WatermarkStrategy
from wiesel.core.configuration import Configuration
from wiesel.datastream import KeyedProcessFunction, ProcessFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.graph.job_graph import JobGraph, build_job_graph

RESULTS = Path(__file__).parent / "results" / "checkpoint_pause.json"
NOT_FROZEN = {"wiesel.gc.freeze-state": "false"}
EVERY_TWO_SECONDS = {"execution.checkpointing.interval": "2 s"}
#: Stops that are not worth a note, in seconds.
UNNOTICED = 0.0005
#: A key is visited next after this many others: neighbours in memory are not neighbours in time.
STRIDE = 7_919


class Update(KeyedProcessFunction):
    """Reads and writes the state of each key."""

    def __init__(self, values: str) -> None:
        self.values = values

    def open(self, runtime_context: Any) -> None:
        """Register the state."""
        kind = Types.LONG() if self.values == "int" else Types.PICKLED_BYTE_ARRAY()
        self.state = runtime_context.get_state(ValueStateDescriptor("state", kind))

    def process_element(self, value: Any, ctx: Any) -> Any:
        """Count, in an integer or in a dictionary of five fields."""
        if self.values == "int":
            self.state.update((self.state.value() or 0) + 1)
        else:
            row = self.state.value() or {"count": 0, "first": value, "last": 0, "name": str(value), "sum": 0.0}
            row["count"] += 1
            row["last"] = value
            self.state.update(row)
        yield value


class Watch(ProcessFunction):
    """Notes when, how long and with how much work no record came; shared because the job runs in this process."""

    stops: ClassVar[list[tuple[float, float, float]]] = []
    seen = 0

    def open(self, runtime_context: Any) -> None:
        """Begin."""
        self.last, self.last_cpu = perf_counter(), thread_time()

    def process_element(self, value: Any, ctx: Any) -> Any:
        """Look at the clocks."""
        now, cpu = perf_counter(), thread_time()
        if now - self.last > UNNOTICED:
            Watch.stops.append((self.last, now - self.last, cpu - self.last_cpu))
        self.last, self.last_cpu = now, cpu
        Watch.seen += 1
        return ()


def job(keys: int, values: str) -> JobGraph:
    """The job's graph; it reads far more than will be measured."""
    env = StreamExecutionEnvironment(Configuration())
    env.set_parallelism(1)
    numbers = env.from_source(
        NumberSequenceSource(0, 1 << 40), WatermarkStrategy.no_watermarks(), "numbers", Types.LONG()
    )
    keyed = numbers.key_by(lambda number: number * STRIDE % keys, Types.LONG())
    keyed.process(Update(values)).process(Watch()).print()
    return build_job_graph(env._stream_graph("bench"))


def measure(keys: int, values: str, seconds: float) -> dict[str, object]:
    """Figures of the same program without checkpoints, with one every two seconds, and so without frozen state."""
    return {
        "without": observe(job(keys, values), keys, seconds, {}),
        "with": observe(job(keys, values), keys, seconds, EVERY_TWO_SECONDS),
        "not_frozen": observe(job(keys, values), keys, seconds, EVERY_TWO_SECONDS | NOT_FROZEN),
    }


def observe(graph: JobGraph, keys: int, seconds: float, settings: Mapping[str, str]) -> dict[str, float]:
    """Run the job until it has all its keys, then watch it."""
    Watch.stops.clear()
    Watch.seen = 0
    figures: dict[str, float] = {}

    def watch(driver: JobDriver) -> None:
        waiting = threading.Event()
        try:
            while Watch.seen < 2 * keys:
                waiting.wait(0.1)
            completed = driver.master.coordinator.completed
            figures.update(span(lambda: waiting.wait(seconds)))
            figures["checkpoints"] = driver.master.coordinator.completed - completed
        finally:
            driver.cancel()

    threads: list[threading.Thread] = []

    def on_driver(driver: JobDriver) -> None:
        threads.append(threading.Thread(target=watch, args=(driver,)))
        threads[0].start()

    with tempfile.TemporaryDirectory() as directory:
        configuration = Configuration()
        configuration.set_string("execution.checkpointing.dir", directory)
        for key, value in settings.items():
            configuration.set_string(key, value)
        run_job(graph, JobOptions("bench", configuration), on_driver)
    threads[0].join()
    return figures


def span(act: Any) -> dict[str, float]:
    """What happened to the stream while ``act`` ran."""
    began, seen = perf_counter(), Watch.seen
    act()
    ended = perf_counter()
    stops = [stop for stop in list(Watch.stops) if began <= stop[0] + stop[1] and stop[0] <= ended]
    walls, works = (sorted(stop[i] * 1000 for stop in stops) for i in (1, 2))
    return {
        "seconds": round(ended - began, 3),
        "records_per_second": round((Watch.seen - seen) / (ended - began)),
        "stops": len(stops),
        "p99_ms": at(walls, 0.99),
        "longest_ms": at(walls, 1),
        "work_p99_ms": at(works, 0.99),
        "work_longest_ms": at(works, 1),
    }


def at(ordered: list[float], part: float) -> float:
    """The value below which a part of all lies."""
    return round(ordered[int(part * (len(ordered) - 1))], 2) if ordered else 0.0


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, action="append")
    parser.add_argument("--values", choices=("int", "dict"), action="append")
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    rows = []
    for values in arguments.values or ["int", "dict"]:
        for keys in arguments.keys or [1_000_000]:
            rows.append({"keys": keys, "values": values, **measure(keys, values, arguments.seconds)})
            print(json.dumps(rows[-1], indent=1))
            gc.collect()
    RESULTS.write_text(json.dumps({"machine": describe_machine(None, load), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
