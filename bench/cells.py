"""The cells of the suite: a work, and two who do it; each is measured by itself and has a file in results/suite/."""

from __future__ import annotations

from dataclasses import dataclass

from bench import contestants as who
from bench import works as what
from bench.contestants import Contestant
from bench.works import Work


@dataclass(frozen=True)
class Cell:
    """A comparison.

    Args:
        goal: the goal that it shows, or the work's id.
        work: what is done.
        against: who is compared with ``job``.
        bar: the ratio that has to be reached, 0 for none.
        job: Wiesel, usually without settings.
        against_work: the work that the other does when its script is another one.
        records: in the place of the work's.
        share: in the place of the other's usual share of them.
    """

    goal: str
    work: Work
    against: Contestant
    bar: float = 0
    job: Contestant = who.WIESEL
    against_work: Work | None = None
    records: int = 0
    share: float = 0

    @property
    def id(self) -> str:
        """Its name on the command line and as a file."""
        return f"{self.goal}/{self.against.name}".lower().replace(", ", "-").replace(" ", "-")

    @property
    def count(self) -> int:
        """The records that Wiesel gets."""
        return self.records or self.work.records

    def count_of_other(self, count: int) -> int:
        """The records that the other gets: its share, so that a run takes seconds, too."""
        return max(2000, int(count * (self.share or self.against.share)))


EVERY_SECOND = ("-c", "execution.checkpointing.interval=1s")
AT_LEAST_ONCE = who.wiesel(*EVERY_SECOND, name="at-least-once")


def _exactly_once(interval: str) -> Cell:
    options = ("-c", f"execution.checkpointing.interval={interval}")
    job = who.wiesel(*options, name=f"exactly-once, {interval}")
    work = what.Work(
        **{
            **vars(what.W2),
            "id": "W8",
            "title": f"word count, exactly-once, checkpoints every {interval}",
            "options": ("--guarantee", "EXACTLY_ONCE"),
        }
    )
    goal = "G8" if interval == "1s" else f"W8 {interval}"
    against = who.wiesel(*options, name="at-least-once")
    return Cell(goal, work, against, 0.9 if interval == "1s" else 0, job, what.W2, 600_000)


CELLS = [
    Cell("G3", what.G3, who.BY_HAND, 0.8),
    Cell("G3b", what.G3B, who.BY_HAND, 2, against_work=what.G3),
    Cell("G7", what.W2, who.QUIX, 4),
    Cell("G7", what.W2, who.BYTEWAX, 2),
    Cell("G7", what.W2, who.PATHWAY, 1),
    Cell("G7b", what.W2_ROWS, who.QUIX, 4, against_work=what.W2),
    Cell("G7b", what.W2_ROWS, who.BYTEWAX, 2, against_work=what.W2),
    Cell("G7b", what.W2_ROWS, who.PATHWAY, 1, against_work=what.W2),
    _exactly_once("1s"),
    Cell("G1", what.G1, who.BY_HAND, 0.3),
    Cell("G1", what.G1, who.PYFLINK_THREAD, 30, share=0.3),
    Cell("G2", what.G2, who.PYFLINK_THREAD, 5, share=0.5),
    Cell("G2", what.G2, who.PYFLINK_TUNED, 8, share=0.3),
    Cell("G1", what.G1, who.PYFLINK_TUNED, 120),
    Cell("G1", what.G1, who.PYFLINK_PROCESS, 1000),
    Cell("G3", what.G3, who.PYFLINK_THREAD),
    Cell("G3", what.G3, who.PYFLINK_PROCESS),
    Cell("W2", what.W2, who.BY_HAND),
    Cell("W2", what.W2, who.FAUST),
    Cell("W0", what.W0, who.BY_HAND),
    Cell("W0", what.W0, who.IN_C),
    Cell("W1", what.W1, who.BY_HAND),
    Cell("W4", what.W4, who.BY_HAND),
    Cell("W5", what.W5, who.BY_HAND),
    Cell("W6", what.W6, who.BY_HAND),
    Cell("G2", what.G2, who.BY_HAND),
    *(Cell(work.id, work, who.BY_HAND) for work in what.W3),
    *(Cell(work.id, work, who.BY_HAND) for work in what.W9),
    Cell("W1", what.W1, who.PYFLINK_THREAD),
    Cell("W4", what.W4, who.PYFLINK_THREAD),
    _exactly_once("100ms"),
    _exactly_once("10s"),
]
