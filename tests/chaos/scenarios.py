"""Stories in which a rule of the protocol matters: with it nothing is wrong afterwards, without it something is.

Each takes a fresh history and the rules to switch off, and returns all faults. What a rule prevents is told in
docs/adr/0001; the random kills alone would hardly ever meet it.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from typing import Final

from tests.chaos.history import PATIENCE_SECONDS, History
from tests.chaos.process import JobProcess
from tests.chaos.verdict import Fault, Kind
from wiesel.core import exit_codes

Scenario = Callable[[History, str], list[Fault]]

_PER_KEY: Final = 20
#: Without its rule a job is given so long to do harm; what is lost shows only when it is over.
_HARM_SECONDS: Final = 10.0


def moved_to_another_directory(history: History, ablate: str) -> list[Fault]:
    """Rule 5. A job is moved to a new job directory, from its newest checkpoint; its checkpoints count from 1 again.

    By bare checkpoint ids its first output looks as if it had been published long ago.
    """
    faults = _run_until_delivered(history, history.job, ("--resume",), ablate)
    history.rest()  # many more checkpoints than the moved job will have taken
    history.job.kill()
    moved = history.process("moved")
    faults += _run_until_delivered(history, moved, ("-s", str(history.job.newest_checkpoint())), ablate)
    moved.kill()
    return faults + history.judge()


def moved_with_output_still_to_deliver(history: History, ablate: str) -> list[Fault]:
    """A job dies between decision and push, and goes on in a new job directory: its log comes along."""
    history.feeder.feed(_PER_KEY)
    history.job.start(ablate=ablate, failpoint="P4")
    history.job.wait(PATIENCE_SECONDS)
    moved = history.process("moved")
    faults = _run_until_delivered(history, moved, ("-s", str(history.job.newest_checkpoint())), ablate)
    moved.kill()
    return faults + history.judge()


def newest_checkpoint_lost_between_two_rescalings(history: History, ablate: str) -> list[Fault]:
    """Rule 7. Scaled out, its checkpoints deleted, scaled in: the one before the first rescaling is still there.

    Its successors' output is published, in a lineage that the third start would not ask for.
    """
    job = history.job
    faults = _run_until_delivered(history, job, ("--resume",), ablate, parallelism=1)
    job.kill()
    before = job.newest_number()
    faults += _run_until_delivered(history, job, ("--resume",), ablate, parallelism=2)
    history.rest()
    job.kill()
    # The one before the newest may not have been removed yet, and would be as good.
    lost = job.checkpoints_behind(before)
    aside = job.directory / "aside"
    aside.mkdir()
    for path in lost:
        path.rename(aside / path.name)
    faults += _must_refuse(history, ablate, parallelism=1)
    if not faults and not ablate:
        for path in lost:
            (aside / path.name).rename(path)
        faults += _run_until_delivered(history, job, ("--resume",), ablate, parallelism=1)
        job.kill()
    return faults + history.judge()


def job_directory_restored_from_a_backup(history: History, ablate: str) -> list[Fault]:
    """Rule 8, its stops. A backup of the job directory replaces the one that has published more since.

    Sequence numbers are used a second time, for other records: "already published" is then a lie.
    """
    job = history.job
    faults = _run_until_delivered(history, job, ("--resume",), ablate)
    job.kill()
    backup = job.directory / "backup"
    shutil.copytree(job.checkpoints, backup)
    faults += _run_until_delivered(history, job, ("--resume",), ablate)
    job.kill()
    newer = job.checkpoints.rename(job.directory / "newer")
    backup.rename(job.checkpoints)
    history.feeder.feed(_PER_KEY)  # so that the same numbers do not get the same records again
    faults += _must_refuse(history, ablate)
    if not faults and not ablate:
        shutil.rmtree(job.checkpoints)
        newer.rename(job.checkpoints)
        faults += _run_until_delivered(history, job, ("--resume",), ablate)
        job.kill()
    return faults + history.judge()


def zombie_of_a_moved_job(history: History, ablate: str) -> list[Fault]:
    """Rule 8, its claims. The old machine only seemed dead: its process wakes up after the job was moved elsewhere.

    No lock reaches it. Unless the transactional ids are claimed, both publish everything from then on.
    """
    zombie = history.job
    faults = _run_until_delivered(history, zombie, ("--resume",), ablate)
    history.rest()
    zombie.send(signal.SIGSTOP)
    moved = history.process("moved")
    faults += _run_until_delivered(history, moved, ("-s", str(zombie.newest_checkpoint())), ablate)
    zombie.send(signal.SIGCONT)
    history.feeder.feed(_PER_KEY)
    faults += _wait_for_harm(history, zombie) if ablate else history.wait_until_delivered(moved)
    faults += _must_end(zombie, exit_codes.OWNED_BY_ANOTHER, ablate)
    moved.kill()
    return faults + history.judge()


def killed_after_a_decision(history: History, ablate: str) -> list[Fault]:
    """The log's fsync order. The checkpoint exists, its output is not pushed yet, and the process dies.

    A log that was not made durable before the decision is gone, and with it what the checkpoint says will be published.
    """
    history.feeder.feed(_PER_KEY)
    history.job.start(ablate=ablate, failpoint="P4")
    faults = []
    if history.job.wait(PATIENCE_SECONDS) != -signal.SIGKILL:
        faults.append(Fault(Kind.STUCK, f"P4 was not reached\n{history.job.log()}"))
    faults += _run_until_delivered(history, history.job, ("--resume",), ablate)
    history.job.kill()
    return faults + history.judge()


def _run_until_delivered(
    history: History, job: JobProcess, how: tuple[str, ...], ablate: str, parallelism: int = 2
) -> list[Fault]:
    """Feed more, start the job, and let it deliver everything, or as much as it can without a rule."""
    history.feeder.feed(_PER_KEY)
    job.start(how, ablate=ablate, parallelism=parallelism)
    if not ablate:
        return history.wait_until_delivered(job)
    history.wait_until(history.delivered, "all output", job, _HARM_SECONDS)
    return []  # the oracles tell


def _must_refuse(history: History, ablate: str, parallelism: int = 2) -> list[Fault]:
    history.job.start(ablate=ablate, parallelism=parallelism)
    if ablate:
        _wait_for_harm(history, history.job)
    return _must_end(history.job, exit_codes.STATE, ablate)


def _wait_for_harm(history: History, job: JobProcess) -> list[Fault]:
    history.wait_until(lambda: history.faults_so_far() != [], "harm", job, _HARM_SECONDS)
    return []  # the oracles tell


def _must_end(job: JobProcess, code: int, ablate: str) -> list[Fault]:
    found = job.wait(0 if ablate else PATIENCE_SECONDS)
    job.kill()
    if found == code:
        return []
    return [Fault(Kind.STUCK, f"the job should have ended with exit code {code}, not {found}\n{job.log()}")]
