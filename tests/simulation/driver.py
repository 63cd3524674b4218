"""The third driver, beside inline and workers: the same loop, but a seed says which task steps next."""

from __future__ import annotations

from typing import Any

from tests.simulation.scheduler import Scheduler
from wiesel.cluster.inline import InlineDriver


class SimulatedDriver(InlineDriver):
    """Steps one task at a time and gives way after each.

    Args:
        scheduler: of the seed.
        arguments: see ``JobDriver``.
    """

    def __init__(self, scheduler: Scheduler, *arguments: Any) -> None:
        self._scheduler = scheduler
        super().__init__(*arguments)

    def _step_tasks(self) -> bool:
        self._scheduler.give_way()
        order = list(self._timed)
        self._scheduler.random.shuffle(order)
        for timed in order:
            try:
                worked = timed.step(self._window)
            except Exception as error:
                self._fail_task(timed.task_id, timed.task, error)
                return True
            if worked:
                return True
        return False
