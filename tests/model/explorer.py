"""Breadth-first search through every state that a model can reach.

A model is a start state and two kinds of transitions: what the system does by itself (`steps`) and what is done to it
(`faults`: crashes, pauses, the network, the operator). The search asks the model about every state, and about every
state in which the system has come to rest; a finite graph whose ends are all good and that has no cycle means that
every run ends well. The first violation found has a shortest possible trace.
"""

from __future__ import annotations

import contextlib
import enum
import gc
from array import array
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

State = TypeVar("State", bound=Hashable)


class Kind(enum.StrEnum):
    """Ways to break the promise."""

    LOSS = "loss"
    DUPLICATE = "duplicate"
    ORDER = "output out of order"
    PHANTOM = "output that no checkpoint decided"
    UNDO = "an older lineage runs again"
    LATE = "late output of an abandoned lineage"
    ALTERNATING = "owners alternate"
    BOTH_STOPPED = "every owner stopped"
    ILLEGITIMATE_STOP = "a stop that nobody may ask for"
    WEDGE = "nothing can happen any more"
    LIVELOCK = "the same states for ever"


@dataclass(frozen=True, slots=True)
class Violation:
    """What went wrong in one state."""

    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else str(self.kind)


class Model(Protocol[State]):
    """What the search needs to know of a protocol. States are immutable and hashable."""

    def initial(self) -> State:
        """The state before anything happened."""

    def steps(self, state: State) -> Iterable[tuple[str, State]]:
        """What the system may do next by itself: (action in words, state after it)."""

    def faults(self, state: State) -> Iterable[tuple[str, State]]:
        """What may happen to the system next. It need not."""

    def violation(self, state: State) -> Violation | None:
        """What is wrong already in this state."""

    def violation_at_rest(self, state: State) -> Violation | None:
        """What is wrong if the system does nothing more."""


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of a search."""

    states: int
    violation: Violation | None
    trace: tuple[str, ...] = ()
    """The actions that lead to the violation, in order."""

    @property
    def holds(self) -> bool:
        """Whether every reachable state was visited and none violates anything."""
        return self.violation is None

    def __str__(self) -> str:
        if self.violation is None:
            return f"holds in {self.states:,} states"
        steps = "".join(f"\n  {number:3}. {action}" for number, action in enumerate(self.trace, start=1))
        return f"VIOLATED ({self.violation}) after {len(self.trace)} steps, {self.states:,} states seen:{steps}"


class SearchLimitReached(Exception):
    """The model has more states than the caller wants to see; nothing is proved."""


def explore(model: Model[State], *, only: Kind | None = None, limit: int = 5_000_000) -> Result:
    """Search all states of `model` until the first violation.

    With `only`, violations of other kinds end their branch and are not reported: shows that a second kind exists too.
    """
    with _paused_garbage_collector():
        return _Search(model, only, limit).run()


class _Search(Generic[State]):
    """One search. States are numbered in the order of discovery."""

    def __init__(self, model: Model[State], only: Kind | None, limit: int) -> None:
        self.model = model
        self.only = only
        self.limit = limit
        start = model.initial()
        self.states = [start]
        self.number = {start: 0}
        self.discovered_from = array("l", [-1])
        # The successors of state k are targets[first_target[k]:first_target[k + 1]].
        self.targets = array("l")
        self.first_target = array("l", [0])

    def run(self) -> Result:
        for origin, state in enumerate(self.states):  # grows while we walk it
            violation = self.model.violation(state)
            if violation is None:
                steps = list(self.model.steps(state))
                self._add(origin, steps)
                self._add(origin, self.model.faults(state))
                if not steps:
                    violation = self.model.violation_at_rest(state)
            self.first_target.append(len(self.targets))
            if violation is not None and self.only in (None, violation.kind):
                return self._result(violation, self._trace_to(origin))
            if len(self.states) > self.limit:
                raise SearchLimitReached(f"more than {self.limit:,} states")
        if self.only in (None, Kind.LIVELOCK):
            looping = self._state_on_a_cycle()
            if looping is not None:
                trace = (*self._trace_to(looping), "(from here for ever)", *self._cycle_through(looping))
                return self._result(Violation(Kind.LIVELOCK), trace)
        return self._result(None, ())

    def _add(self, origin: int, transitions: Iterable[tuple[str, State]]) -> None:
        for _, state in transitions:
            target = self.number.setdefault(state, len(self.states))
            if target == len(self.states):
                self.states.append(state)
                self.discovered_from.append(origin)
            self.targets.append(target)

    def _result(self, violation: Violation | None, trace: tuple[str, ...]) -> Result:
        return Result(len(self.states), violation, trace)

    def _trace_to(self, number: int) -> tuple[str, ...]:
        actions = []
        while number:
            origin = self.discovered_from[number]
            actions.append(self._action(origin, number))
            number = origin
        return tuple(reversed(actions))

    def _action(self, origin: int, target: int) -> str:
        """The words are made anew for the few transitions of a trace instead of being kept for all."""
        state, wanted = self.states[origin], self.states[target]
        transitions = (*self.model.steps(state), *self.model.faults(state))
        return next(action for action, successor in transitions if successor == wanted)

    def _successors(self, number: int) -> array[int]:
        return self.targets[self.first_target[number] : self.first_target[number + 1]]

    def _state_on_a_cycle(self) -> int | None:
        """Depth-first search: an edge back to a state on the current path closes a cycle."""
        unseen, on_path, left = 0, 1, 2
        colour = bytearray(len(self.states))
        path: list[tuple[int, Iterator[int]]] = [(0, iter(self._successors(0)))]
        colour[0] = on_path
        while path:
            number, successors = path[-1]
            successor = next(successors, None)
            if successor is None:
                colour[number] = left
                path.pop()
            elif colour[successor] == on_path:
                return successor
            elif colour[successor] == unseen:
                colour[successor] = on_path
                path.append((successor, iter(self._successors(successor))))
        return None

    def _cycle_through(self, number: int) -> tuple[str, ...]:
        """The shortest way from a state back to itself."""
        reached_from: dict[int, int] = {}
        queue = deque([number])
        while number not in reached_from:
            origin = queue.popleft()
            for target in self._successors(origin):
                if target not in reached_from:
                    reached_from[target] = origin
                    queue.append(target)
        actions: list[str] = []
        target = number
        while not actions or target != number:
            origin = reached_from[target]
            actions.append(self._action(origin, target))
            target = origin
        return tuple(reversed(actions))


@contextlib.contextmanager
def _paused_garbage_collector() -> Iterator[None]:
    """States are tuples of tuples and form no cycles; to walk millions of them again and again is wasted."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
