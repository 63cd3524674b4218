"""Whole jobs on the inline driver, in a directory of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.tasks import job_graph
from wiesel.cluster import execute
from wiesel.cluster.driver import JobDriver
from wiesel.cluster.local import run_job
from wiesel.cluster.options import JobOptions
from wiesel.core.configuration import Configuration
from wiesel.datastream import StreamExecutionEnvironment

Build = Callable[[StreamExecutionEnvironment], Any]
#: The driver of a job that stops itself; functions travel by pickle, so what they share with a test is global.
_drivers: list[JobDriver] = []


def stop_at(value: int) -> Callable[[int], int]:
    """A function that passes values on, and asks its job for a stop when it meets this one: in time on any machine."""
    return partial(_pass_on, value)


def _pass_on(last: int, value: int) -> int:
    if value == last:
        _drivers[-1].stop()
    return value


class Job:
    """One job's starts, with the defaults that suit tests: short checkpoints, fast restarts, few of them.

    Args:
        directory: where checkpoints and key go.
        build: adds the program to an environment.
        parallelism: of the environment.
        settings: Flink's configuration keys; None takes a default away.
    """

    def __init__(
        self, directory: Path, build: Build, parallelism: int = 1, settings: dict[str, str] | None = None
    ) -> None:
        key = directory / "key"
        if not key.exists():
            key.write_bytes(b"k" * 32)
        self.build = build
        self.parallelism = parallelism
        self.settings: dict[str, str] = {
            "wiesel.checkpoint.key-file": str(key),
            "execution.checkpointing.dir": str(directory / "checkpoints"),
            "execution.checkpointing.interval": "10 ms",
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "3",
            "restart-strategy.fixed-delay.delay": "1 ms",
            **(settings or {}),
        }
        self.path = directory / "checkpoints" / "job"

    def options(self, **options: Any) -> JobOptions:
        """Return the options of one start."""
        configuration = Configuration()
        for key, value in self.settings.items():
            configuration.set_string(key, value)
        return JobOptions("job", configuration, **options)

    def run(self, **options: Any) -> Any:
        """Run it to its end."""
        return execute(job_graph(self.build, self.parallelism), self.options(**options))

    def run_until_it_stops(self, **options: Any) -> Any:
        """Run it; one of its functions is ``stop_at``."""
        return self.run_with(_drivers.append, **options)

    def run_with(self, on_driver: Callable[[JobDriver], None], **options: Any) -> Any:
        """Run it to its end; ``on_driver`` gets the driver before it runs."""
        return run_job(job_graph(self.build, self.parallelism), self.options(**options), on_driver)
