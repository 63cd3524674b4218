"""One seed's world: brokers, disk, network, and the processes that run the job on them."""

from __future__ import annotations

import atexit
import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any, Final

from tests.simulation import job
from tests.simulation.broker import SimulatedKafka
from tests.simulation.clients import SimulatedClients
from tests.simulation.disk import DiskFaults, ProcessDisk
from tests.simulation.driver import SimulatedDriver
from tests.simulation.machine import SimulatedMachine
from tests.simulation.network import NetworkFaults
from tests.simulation.scheduler import Process, ProcessDiedError, Scheduler
from wiesel.cluster.options import JobOptions
from wiesel.cluster.start import begin
from wiesel.connectors.kafka.client import talking_through
from wiesel.core.configuration import Configuration
from wiesel.core.host import running_on
from wiesel.runtime.job_master.commands import JobState
from wiesel.testing.memory_disk import MemoryDisk

#: The engine shares connections by their address, so each world has one of its own.
_worlds = itertools.count(1)
JOBS: Final = Path("/jobs")


class JobProcess(Process):
    """A process that runs the job once.

    Args:
        number: names it.
        directory: name of the job directory.
        how: what it was told to continue.
    """

    def __init__(self, number: int, directory: str, how: str) -> None:
        super().__init__(number)
        self.directory = directory
        self.how = how
        self.driver: SimulatedDriver | None = None
        self.finished = False
        #: Whether it was told to end.
        self.stopping = False

    def __repr__(self) -> str:
        return f"process {self.number} ({self.directory}, {self.how})"


@dataclass(slots=True)
class UserFaults:
    """How often the user's function raises, from 0 to 1."""

    element: float = 0.0


class World:
    """Everything but the story.

    Args:
        seed: decides all.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.scheduler = Scheduler(self.random)
        self.kafka = SimulatedKafka(self.scheduler)
        self.disk = MemoryDisk()
        self.disk_faults = DiskFaults()
        self.network_faults = NetworkFaults()
        self.user_faults = UserFaults()
        self.machine = SimulatedMachine(
            self.scheduler, lambda: ProcessDisk(self.scheduler, self.disk, self.disk_faults)
        )
        self.clients = SimulatedClients(self.scheduler, self.kafka, self.network_faults)
        self.processes: list[JobProcess] = []
        self.started = 0
        chance = self.random.random
        prefix = ("same", "same") if chance() < 0.5 else ("first", "second")
        self.shape = job.JobShape(f"world-{next(_worlds)}:9092", prefix, 6000)
        self.settings = {
            "wiesel.checkpoint.key-file": str(_key_file()),
            "execution.checkpointing.dir": str(JOBS),
            "execution.checkpointing.interval": f"{self.random.choice((60, 150, 500))} ms",
            "execution.checkpointing.timeout": "20 s",
            "execution.checkpointing.tolerable-failed-checkpoints": str(self.random.choice((0, 3, 1000))),
            "execution.checkpointing.num-retained": str(self.random.choice((1, 1, 3))),
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1000000",
            "restart-strategy.fixed-delay.delay": "20 ms",
            "wiesel.gc.freeze-state": "false",
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the engine run on this world inside."""
        with running_on(self.machine), talking_through(self.clients):
            job.before_element = self._before_element
            try:
                yield
            finally:
                for process in list(self.processes):
                    self.kill(process)
                job.before_element = job.no_failure

    def _before_element(self) -> None:
        if self.user_faults.element and self.random.random() < self.user_faults.element:
            raise RuntimeError("the user's function failed")

    # ------------------------------------------------------------------------------------------------- processes

    def start(self, directory: str, parallelism: int, **options: Any) -> JobProcess:
        """Start the job in a process of its own."""
        self.started += 1
        process = JobProcess(self.started, directory, " ".join(f"{k}={v}" for k, v in options.items()))
        self.processes.append(process)
        self.scheduler.spawn(process, lambda: self._main(process, parallelism, options), "main")
        return process

    def _main(self, process: JobProcess, parallelism: int, options: dict[str, Any]) -> None:
        configuration = Configuration()
        for key, value in self.settings.items():
            configuration.set_string(key, value)
        job_options = JobOptions(process.directory, configuration, **options)
        try:
            start = begin(job.build(self.shape, parallelism), job_options)
            try:
                if start.finished:
                    process.finished = True
                    return
                process.driver = SimulatedDriver(self.scheduler, start.graph, job_options, start, self.scheduler.clock)
                outcome = process.driver.run()
                process.error = outcome.error if outcome.state is JobState.FAILED else None
            finally:
                start.directory.close()
        except ProcessDiedError:
            raise
        except Exception as error:
            process.error = error
        finally:
            process.has_ended = True

    def kill(self, process: JobProcess) -> None:
        """SIGKILL; what was written stays."""
        self.scheduler.kill(process)
        if process in self.processes:
            self.processes.remove(process)

    def power_failure(self) -> None:
        """All processes die, and what no fsync made durable is gone, or a part of it."""
        for process in list(self.processes):
            self.kill(process)
        self.disk.crash(self.random if self.random.random() < 0.7 else None)

    # ------------------------------------------------------------------------------------------------------ time

    def step(self) -> None:
        """One step of anything; processes that have ended are reaped."""
        self.scheduler.step()
        for process in self.processes:
            if process.has_ended:
                self.kill(process)
                return

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False, every: int = 16) -> bool:
        """Let time pass, or until something holds; returns whether it does."""
        deadline = self.scheduler.monotonic() + seconds
        while self.scheduler.monotonic() < deadline:
            for _ in range(every):
                self.step()
                if self.scheduler.monotonic() >= deadline:
                    break
            if until():
                return True
        return until()


@cache
def _key_file() -> Path:
    """Make the installation's key, which is outside of the simulation: it is not part of any job."""
    directory = mkdtemp(prefix="wiesel-simulation-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    path = Path(directory) / "key"
    path.write_bytes(b"k" * 32)
    return path
