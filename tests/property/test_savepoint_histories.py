"""A job's history in any order of stops, savepoints, cancellations and parallelisms: each value is counted once."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.counting import KEYS, CountingJob, counted, finish, taken, timers_of, values_of
from wiesel.cluster.driver import JobDriver

#: How one run of the job ends and the next one goes on.
ENDS = ["savepoint", "savepoint elsewhere", "stop", "cancel"]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 25), st.sampled_from(ENDS)), min_size=1, max_size=5))
def test_whatever_a_job_goes_through_each_value_is_counted_once(history: list[tuple[int, int, str]]) -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        job = CountingJob(directory)
        options: dict[str, Any] = {}
        count = 0
        for number, (parallelism, more, end) in enumerate(history):
            job.parallelism = parallelism
            count = min(count + more, job.source.last)
            options = one_run(job, count, end, directory / f"moved-{number}", options)
        finish(job, **options)
        assert values_of(job) == counted(range(job.source.last + 1))
        assert timers_of(job) == [(key, 20) for key in range(KEYS)]
    finally:
        shutil.rmtree(directory)


def one_run(job: CountingJob, count: int, end: str, place: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Let the job come to ``count``, end it, and return how to go on."""
    savepoints: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.wait_until(lambda: driver.master.coordinator.completed > 0)  # it runs, so it can be asked
        job.publish(count)
        if end.startswith("savepoint"):
            savepoints.append(taken(driver, driver.trigger_savepoint(place.parent, stop=True)))
        elif end == "stop":
            driver.stop()
        else:
            driver.cancel()

    job.run_and(act, **options)
    if not savepoints:
        return {"resume": True}
    if end == "savepoint elsewhere":
        shutil.rmtree(job.path)
    return {"from_savepoint": str(savepoints[0].rename(place))}
