"""One history of the job: fed, started, killed and resumed as a test wants, then judged by the oracles."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.chaos.broker import Broker
from tests.chaos.process import JobProcess
from tests.chaos.readers import ReaderDuringTheRun, open_transactions, read_all
from tests.chaos.small_disk import SmallDisk
from tests.chaos.verdict import Fault, Kind, judge, judge_readers
from tests.chaos.workload import Feeder
from wiesel.broker.admin import Admin
from wiesel.connectors.kafka.naming import progress_topic
from wiesel.core import exit_codes

PARTITIONS: Final = 3
#: A job that delivers nothing for so long has hung.
PATIENCE_SECONDS: Final = 60.0
#: Checkpoints in which nothing happens that confirm everything; a job that was just started has fewer.
_CHECKPOINTS_OF_REST: Final = 10
_POLL_SECONDS: Final = 0.02
_names = itertools.count(1)


class History:
    """Topics, a feeder, a reader during the run, and the processes of one job.

    Args:
        broker: a running one.
        directory: for job directories and logs.
        sinks: the job's outputs; each holds the same records.
        per_second: records of the input.
        transaction_timeout_ms: of the job's sinks.
        backend: of the job's state, ``hashmap`` or ``rocksdb``.
        disk: a small disk for the job directory, if it shall have one.
    """

    def __init__(
        self,
        broker: Broker,
        directory: Path,
        *,
        sinks: int = 2,
        per_second: int = 600,
        transaction_timeout_ms: int = 60_000,
        backend: str = "hashmap",
        disk: SmallDisk | None = None,
    ) -> None:
        self.broker = broker
        self._servers = broker.servers
        self._directory = directory
        self._timeout_ms = transaction_timeout_ms
        self.backend = backend
        self.disk = disk
        #: F41: how the parallelism goes on.
        self.parallelisms = itertools.cycle([1, 4, 2, 3])
        self.name = f"history-{next(_names)}-{time.time_ns() // 1_000_000 % 10**9}"
        self.input = f"{self.name}-in"
        self.outputs = [f"{self.name}-out-{number}" for number in range(1, sinks + 1)]
        admin = Admin(broker.servers)
        for topic in (self.input, *self.outputs):
            admin.create_topic(topic, PARTITIONS)
        self.places = [(topic, partition) for topic in self.outputs for partition in range(PARTITIONS)]
        self.feeder = Feeder(broker.servers, self.input, per_second)
        self.reader = ReaderDuringTheRun(broker.servers, self.places)
        self._processes: list[JobProcess] = []
        self.job = self.process("job")
        #: Records that aborted transactions have left in the output: the kills did hit transactions.
        self.aborted_records = 0

    def process(self, name: str) -> JobProcess:
        """A copy of the job with a directory of its own."""
        arguments = [
            "--bootstrap",
            self._servers,
            "--input",
            self.input,
            "--transaction-timeout",
            str(self._timeout_ms),
        ]
        arguments += [word for topic in self.outputs for word in ("--output", topic)]
        settings = ("-c", f"state.backend.type={self.backend}")
        process = JobProcess(self._directory / self.name / name, arguments, settings)
        if self.disk is not None:
            self.disk.mount(process.checkpoints)
        self._processes.append(process)
        return process

    def delivered(self) -> bool:
        """Whether the reader has seen as many records as were fed."""
        return self.reader.count() >= sum(self.feeder.fed().values()) * len(self.outputs)

    def wait_until(
        self,
        reached: Callable[[], bool],
        what: str,
        job: JobProcess | None = None,
        seconds: float = PATIENCE_SECONDS,
    ) -> list[Fault]:
        """Wait; a job that ends by itself before, or takes too long, is stuck."""
        job = job or self.job
        deadline = time.monotonic() + seconds
        while not reached():
            if not job.is_running:
                return [Fault(Kind.STUCK, f"the job ended with exit code {job.wait(0)} before {what}\n{job.log()}")]
            if time.monotonic() > deadline:
                return [Fault(Kind.STUCK, f"{what} did not come in {seconds:.0f} s\n{job.autopsy()}")]
            time.sleep(_POLL_SECONDS)
        return []

    def started(self) -> list[Fault]:
        """Start the job and wait until it delivers and can be asked for something."""
        self.job.start()
        if faults := self.wait_until(self.job.answers, "an answer of the control plane"):
            return faults
        before = self.reader.count()  # counted now: the reader may still have been behind what an earlier start gave
        return self.wait_until(lambda: self.reader.count() > before, "any output")

    def wait_until_delivered(self, job: JobProcess | None = None) -> list[Fault]:
        """Wait until all that was fed has come out."""
        return self.wait_until(self.delivered, "all output", job)

    def rest(self) -> None:
        """Let some checkpoints pass in which nothing happens, so that everything is confirmed."""
        last = self.job.newest_number() + _CHECKPOINTS_OF_REST
        self.wait_until(lambda: self.job.newest_number() >= last, "checkpoints")

    def faults_so_far(self) -> list[Fault]:
        """What the reader during the run has met; the end of each key may still be on its way."""
        seen = {place: list(records) for place, records in self.reader.seen.items()}
        return judge(seen, self.outputs, self.feeder.fed(), complete=False)

    def finish(self, *, parallelism: int = 2) -> list[Fault]:
        """End the input, resume the job once more, let it deliver everything and stop it; then ask all oracles."""
        self.feeder.stop()
        if not self.job.is_running:
            self.job.start(parallelism=parallelism)
        faults = self.wait_until_delivered() or self.stop()
        if faults:
            self.job.kill()
        if left := self.job.left_behind(PATIENCE_SECONDS):
            faults = [*faults, Fault(Kind.STUCK, f"processes {left} were left behind")]
        if not faults and (files := self.job.temporary_files()):
            faults = [Fault(Kind.STUCK, f"files were left behind: {files}")]
        return [*faults, *self.judge(complete=not faults)]

    def stop(self, job: JobProcess | None = None) -> list[Fault]:
        """End the job as Kubernetes does."""
        job = job or self.job
        job.send(signal.SIGTERM)
        code = job.wait(PATIENCE_SECONDS)
        if code is None:
            return [Fault(Kind.STUCK, f"SIGTERM did not end the job\n{job.autopsy()}")]
        if code != exit_codes.TERMINATED:
            return [Fault(Kind.STUCK, f"SIGTERM ended the job with exit code {code}\n{job.log()}")]
        return []

    def judge(self, *, complete: bool = True) -> list[Fault]:
        """All oracles on what is there now; no process of the job may run."""
        self.reader.close()
        after = read_all(self._servers, self.places)
        progress = [(progress_topic(topic), 0) for topic in self.outputs]
        held_up = open_transactions(self._servers, [*self.places, *progress])
        raw = read_all(self._servers, self.places, "read_uncommitted")
        self.aborted_records = sum(map(len, raw.values())) - sum(map(len, after.values()))
        return [
            *judge(after, self.outputs, self.feeder.fed(), complete=complete),
            *judge_readers(self.reader.seen, after),
            *(Fault(Kind.STUCK, f"a transaction is still open in {place}") for place in held_up),
        ]

    @property
    def records(self) -> int:
        """Records that the outputs must hold."""
        return sum(self.feeder.fed().values()) * len(self.outputs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.send(signal.SIGCONT)
            process.kill()
        self.reader.close()
        if self.disk is not None:
            self.disk.unmount()
