"""What happens in a seed's world: the job is fed, killed, paused, moved, rescaled, rewound, and healed at the end."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from tests.chaos.verdict import Fault, Kind
from tests.chaos.workload import amount
from tests.simulation.job import END, INPUT, OUTPUTS
from tests.simulation.oracle import Reader, verdict
from tests.simulation.world import JOBS, JobProcess, World
from wiesel.core.errors import (
    CheckpointCorruptError,
    FencedError,
    LeaseLostError,
    ProgressLostError,
    RestoreRefusedError,
)
from wiesel.runtime.job_master.commands import JobState

SAVEPOINTS: Final = JOBS / "savepoints"
KEYS: Final = tuple(f"key-{number}" for number in range(5))
_HEALED_SECONDS: Final = 180.0
#: What no supervisor mends by starting again.
_FINAL_ERRORS: Final = (CheckpointCorruptError, FencedError, LeaseLostError, ProgressLostError, RestoreRefusedError)


class Story:
    """One seed, from its first start to the verdict.

    Args:
        seed: decides all.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.world = World(seed)
        self.random = self.world.random
        self.kafka = self.world.kafka
        self.reader = Reader(self.kafka)
        self.fed: dict[str, int] = defaultdict(int)
        self.faults: list[Fault] = []
        self.told: list[str] = []
        self.counts: dict[str, int] = defaultdict(int)
        self.rewinds = 0
        self.directory = "job"
        self.directories = 1
        self.has_claimed = False
        self.feeding = True
        self.parallelism = self.random.choice((1, 2, 2, 3))
        self.process: JobProcess | None = None
        self.twin: JobProcess | None = None
        self.zombies: list[JobProcess] = []
        self.backup: tuple[str, Any, int] | None = None
        self._event_time = self.world.scheduler.clock.now_ms()
        self._fed_at = 0.0

    def run(self) -> list[Fault]:
        """Tell it; returns what is wrong."""
        with self.world.running():
            self._set_up()
            for _ in range(self.random.randint(2, 5)):
                self._phase()
                if self.faults:
                    return self.faults
            self._end()
        return self.faults

    def trace(self) -> str:
        """Return a digest of everything that any reader could see, and of the number of steps."""
        digest = hashlib.sha256(f"{self.world.scheduler.steps} {self.told}".encode())
        for topic in self.kafka.topics.values():
            for log in topic.partitions:
                digest.update(repr([(r.offset, r.key, r.value, r.committed) for r in log.records]).encode())
        return digest.hexdigest()[:16]

    def tell(self, what: str) -> None:
        """Remember what happened, for whoever looks into a failing seed."""
        self.told.append(f"{self.world.scheduler.monotonic() % 100_000:11.3f} {what}")

    def chance(self, probability: float) -> bool:
        """Throw."""
        return self.random.random() < probability

    # -------------------------------------------------------------------------------------------------- beginning

    def _set_up(self) -> None:
        self.kafka.create_topic(INPUT, self.random.randint(1, 3))
        for topic in OUTPUTS:
            self.kafka.create_topic(topic, self.random.randint(1, 2))
        self._feed(self.random.randint(1, 8))
        self._choose_faults()

    def _choose_faults(self) -> None:
        """Each seed has faults of some kinds, others none of them."""

        def rate(most: float) -> float:
            return self.random.random() * most if self.chance(0.35) else 0.0

        network, disk = self.world.network_faults, self.world.disk_faults
        network.lost, network.swallowed, network.delayed = rate(0.1), rate(0.15), rate(0.15)
        network.partitioned, network.busy, network.repeated = rate(0.03), rate(0.1), rate(0.3)
        disk.fsync, disk.rename, disk.write = rate(0.02), rate(0.05), rate(0.01)
        self.world.user_faults.element = rate(0.01)

    def _heal(self) -> None:
        network, disk = self.world.network_faults, self.world.disk_faults
        network.lost = network.swallowed = network.delayed = network.partitioned = network.busy = network.repeated = 0.0
        disk.fsync = disk.rename = disk.write = 0.0
        self.world.user_faults.element = 0.0

    def _feed(self, per_key: int) -> None:
        for _ in range(per_key):
            for key in KEYS:
                seq = self.fed[key] = self.fed[key] + 1
                self._write(key, f"{key},{seq},{amount(key, seq)}")

    def _write(self, key: str, text: str) -> None:
        self._event_time = max(self._event_time + 1, self.world.scheduler.clock.now_ms())
        partitions = len(self.kafka.topic(INPUT).partitions)
        place = (INPUT, KEYS.index(key) % partitions if key in KEYS else int(key.removeprefix(END)))
        self.kafka.produce(place, [(key.encode(), text.encode(), self._event_time, None)])

    def _feed_ends(self) -> None:
        """Move event time on in every partition, so that all timers fire."""
        for number in range(len(self.kafka.topic(INPUT).partitions)):
            self._event_time += 100
            self.kafka.produce((INPUT, number), [(None, f"{END},0,0".encode(), self._event_time, None)])

    # ----------------------------------------------------------------------------------------------------- phases

    def _phase(self) -> None:
        if self.process is None:
            self._start_somehow()
        self._watch(self.random.random() * self.random.choice((0.1, 0.5, 1.5)))
        if self.chance(0.3):
            self._wake_zombies()
        self._interfere()
        self._check()

    def _watch(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let the job run, feed it now and then, and start it again when it has ended by itself."""

        healed = not self.feeding

        def look() -> bool:
            now = self.world.scheduler.monotonic()
            if now >= self._fed_at:
                self._fed_at = now + self.random.random() * 0.3
                if self.chance(0.5) and self.feeding:
                    self._feed(1)
            self.reader.read()
            self._supervise()
            driver = None if self.process is None else self.process.driver
            if driver is not None and driver.master.state is JobState.RUNNING:
                self.has_claimed = True
                if healed:
                    self._wake_zombies()
            return bool(self.faults) or until()

        return self.world.run(seconds, look)

    def _supervise(self) -> None:
        process = self.process
        if process is None or not process.has_ended:
            return
        self.process = None
        self.tell(f"{process} has ended by itself: {process.error!r}")
        if self.twin is not None and not self.twin.has_ended:
            self.process = self.twin
            return
        if isinstance(process.error, _FINAL_ERRORS) or (process.error is None and not process.stopping):
            self.faults.append(Fault(Kind.STUCK, f"{process} ended: {type(process.error).__name__}: {process.error}"))
            return
        self._start("supervised", resume=True)

    def _start(self, why: str, **options: Any) -> JobProcess:
        self.counts[why] += 1
        process = self.process = self.world.start(self.directory, self.parallelism, **options)
        self.tell(f"start {why}: {process} parallelism {self.parallelism}")
        return process

    def _start_somehow(self) -> None:
        if self.chance(0.3):
            self.parallelism = self.random.choice((1, 2, 3))
            self.counts["rescaled"] += 1
        story = self.random.choice(
            (
                self._resume,
                self._resume,
                self._resume,
                self._move,
                self._move,
                self._lose_newest_checkpoint,
                self._restore_backup,
                self._rewind,
            )
        )
        story()

    def _resume(self) -> None:
        self._start("resume", resume=True)

    def _move(self) -> None:
        """The job goes on in another directory, from its newest checkpoint; who had it before may only be asleep."""
        newest = self._checkpoints(self.directory)
        if not newest:
            self._resume()
            return
        # The old process may clean up behind its back.
        copy = JOBS / f"copy-{self.directories}"
        self.world.disk.attach(copy, self.world.disk.copy_of(JOBS / self.directory))
        path = f"{copy}/chk-{newest[-1]}"
        self._begin_elsewhere()
        process = self._start("moved", from_savepoint=path)
        # Until its first durable act, a supervisor starts it with the same words.
        self._until_running(process, path)

    def _begin_elsewhere(self) -> None:
        self.directories += 1
        self.directory = f"moved-{self.directories}"
        self.has_claimed = False
        self.backup = None

    def _rewind(self) -> None:
        """The user goes back by choice."""
        found = self._checkpoints(self.directory)
        if not found:
            self._resume()
            return
        path = f"{JOBS}/{self.directory}/chk-{self.random.choice(found)}"
        self.rewinds += 1
        self.backup = None
        process = self._start("rewound", from_savepoint=path)
        self._until_running(process, path)

    def _until_running(self, process: JobProcess, path: str) -> None:
        for _ in range(20):
            self._until_driven(process)
            if not process.has_ended:
                return
            if isinstance(process.error, _FINAL_ERRORS):
                return  # the next look tells
            process = self._start("moved again", from_savepoint=path)
        self._heal()

    def _until_driven(self, process: JobProcess) -> None:
        self.world.run(30, lambda: process.has_ended or process.driver is not None)

    def _lose_newest_checkpoint(self) -> None:
        """The newest checkpoint is gone: the job refuses, and goes on when it is back."""
        found = self._checkpoints(self.directory)
        if not found:
            self._resume()
            return
        path = JOBS / self.directory / f"chk-{found[-1]}"
        kept = self.world.disk.detach(path)
        process = self._start("newest checkpoint lost", resume=True)
        if self._refuses(process):
            self.world.disk.attach(path, kept)
            self._resume()

    def _take_backup(self) -> None:
        path = JOBS / self.directory
        if self.world.disk.exists(path):
            self.backup = (self.directory, self.world.disk.copy_of(path), self.rewinds)
            self.counts["backup"] += 1

    def _restore_backup(self) -> None:
        """A backup replaces the job directory: the job refuses if it has published more since."""
        if self.backup is None or self.backup[0] != self.directory:
            self._take_backup()
            self._resume()
            return
        path = JOBS / self.directory
        newer = self.world.disk.detach(path)
        self.world.disk.attach(path, self.backup[1])
        self.backup = None
        process = self._start("backup restored", resume=True)
        if self._refuses(process):
            self.world.disk.detach(path)
            self.world.disk.attach(path, newer)
            self._resume()

    def _refuses(self, process: JobProcess) -> bool:
        """Whether a start ends with an error that says no; through broken networks it takes a while until it knows."""

        def knows() -> bool:
            self.reader.read()
            driver = process.driver
            return process.has_ended or (driver is not None and driver.master.state is JobState.RUNNING)

        if not self.world.run(60, knows):
            self._heal()
            self.world.run(60, knows)
        self.tell(f"{process} {'refused: ' + repr(process.error) if process.has_ended else 'goes on'}")
        if process.has_ended:
            self.process = None
            return True
        return False

    # ----------------------------------------------------------------------------------------------- interference

    def _interfere(self) -> None:
        process = self.process
        if process is None or self.faults:
            return
        what = self.random.choice(
            (
                self._kill,
                self._kill,
                self._kill,
                self._power_failure,
                self._stop,
                self._stop_with_savepoint,
                self._pause,
                self._leave,
                self._twin,
                self._fill_disk,
            )
        )
        self.counts[what.__name__.strip("_")] += 1
        self.tell(what.__name__.strip("_"))
        what(process)

    def _kill(self, process: JobProcess) -> None:
        self.world.kill(process)
        self.process = None

    def _power_failure(self, process: JobProcess) -> None:
        self.world.power_failure()
        self.process = None
        self.zombies.clear()

    def _stop(self, process: JobProcess) -> None:
        if process.driver is not None:
            process.stopping = True
            process.driver.stop()
            self.world.run(self.random.random() * 10, lambda: process.has_ended)
        if process.has_ended and isinstance(process.error, _FINAL_ERRORS):
            self._supervise()
        self.world.kill(process)
        self.process = None

    def _stop_with_savepoint(self, process: JobProcess) -> None:
        """The job is stopped with a savepoint, and goes on from it, here or elsewhere."""
        driver = process.driver
        if driver is None:
            return
        asked: list[int] = []

        def ask() -> None:
            process.stopping = True
            asked.append(driver.trigger_savepoint(SAVEPOINTS, stop=True))

        self.world.scheduler.spawn(process, ask, "savepoint")
        self.world.run(5, lambda: process.has_ended)
        path = driver.savepoint_status(asked[0]).path if asked else None
        if not process.has_ended or path is None or process.error is not None:
            return  # it goes on, or a supervisor sees to it
        if self.chance(0.5):
            self._begin_elsewhere()
        self._until_running(self._start("from a savepoint", from_savepoint=str(path)), str(path))

    def _fill_disk(self, process: JobProcess) -> None:
        """The disk is full for a while."""
        self.world.disk.space = self.random.randint(0, 5000)
        self._watch(self.random.random() * 2)
        self.world.disk.space = None

    def _pause(self, process: JobProcess) -> None:
        """SIGSTOP for longer than transactions live, or not so long."""
        self.world.scheduler.pause(process)
        self.world.run(self.random.random() * 12, every=64)
        self.world.scheduler.resume(process)

    def _leave(self, process: JobProcess) -> None:
        """The machine seems dead, and is only asleep: the job is moved elsewhere."""
        if not self._checkpoints(self.directory):
            return
        self.world.scheduler.pause(process)
        self.process = None
        self.zombies.append(process)
        self._move()

    def _twin(self, process: JobProcess) -> None:
        """A second copy is started in the same directory while the first one runs."""
        twin = self.twin = self.world.start(self.directory, self.parallelism, resume=True)
        self._watch(2.0, lambda: twin.has_ended)
        if not twin.has_ended and not process.has_ended:
            # Nobody refused it, so there are two now. One dies; what both have written stays.
            self.world.kill(process if self.chance(0.5) else twin)
            self.process = twin if process.is_dead else process
        self.twin = None

    def _wake_zombies(self) -> None:
        """Wake who was left, once the moved job has claimed its ids: until then the old one is no zombie but the owner.

        What the owner publishes behind the checkpoint that the user moves from is repeated by choice, as by a rewind.
        """
        if not self.has_claimed:
            return
        for zombie in self.zombies:
            self.world.scheduler.resume(zombie)
            self.counts["zombie woken"] += 1
        self.zombies.clear()

    def _checkpoints(self, directory: str) -> list[int]:
        path = JOBS / directory
        names = self.world.disk.list(path)
        found = [int(name[4:]) for name in names if name.startswith("chk-")]
        return sorted(n for n in found if self.world.disk.exists(path / f"chk-{n}" / "_metadata"))

    def _check(self) -> None:
        self.faults += verdict(self.kafka, self.reader, self.fed, self.rewinds, complete=False)

    # -------------------------------------------------------------------------------------------------------- end

    def _end(self) -> None:
        """Everything heals; the job delivers all, is stopped, and nothing is left open."""
        self._heal()
        self.tell("healed")
        if self.process is None:
            self._resume()
        self.feeding = False
        ends_at = 0.0

        def delivered() -> bool:
            nonlocal ends_at
            if self.world.scheduler.monotonic() > ends_at:
                ends_at = self.world.scheduler.monotonic() + 2.0
                self._feed_ends()
            return self.reader.has_all(self.fed)

        if not self._watch(_HEALED_SECONDS, delivered):
            self.faults.append(Fault(Kind.STUCK, f"not delivered: {self._state()}"))
        if self.faults:
            return self._check()
        process = self.process
        assert process is not None
        if process.driver is not None:
            process.driver.stop()
        if not self._watch_end(process):
            self.faults.append(Fault(Kind.STUCK, f"does not stop: {self._state()}"))
        for left in list(self.world.processes):
            self.world.kill(left)
        self.world.run(10, every=64)
        self.faults += verdict(self.kafka, self.reader, self.fed, self.rewinds, complete=True)
        return None

    def _watch_end(self, process: JobProcess) -> bool:
        return self.world.run(60, lambda: process.has_ended)

    def _state(self) -> str:
        process = self.process
        if process is None or process.driver is None:
            return f"{process} is not running"
        master = process.driver.master
        for fiber in process.fibers:
            self.tell(fiber.where())
        return f"{process} is {master.state}, {master.error!r}, checkpoint {master.checkpoint_failure!r}"
