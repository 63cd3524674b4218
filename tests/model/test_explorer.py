"""The search itself: it finds what it must find, by a shortest way, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from .explorer import Kind, SearchLimitReached, Violation, explore


@dataclass
class Graph:
    """States are numbers; edges are written down."""

    steps_of: dict[int, list[int]]
    faults_of: dict[int, list[int]] = field(default_factory=dict)
    violations: dict[int, Violation] = field(default_factory=dict)
    bad_ends: frozenset[int] = frozenset()

    def initial(self) -> int:
        return 0

    def steps(self, state: int) -> Iterator[tuple[str, int]]:
        return ((f"step to {target}", target) for target in self.steps_of.get(state, []))

    def faults(self, state: int) -> Iterator[tuple[str, int]]:
        return ((f"fault to {target}", target) for target in self.faults_of.get(state, []))

    def violation(self, state: int) -> Violation | None:
        return self.violations.get(state)

    def violation_at_rest(self, state: int) -> Violation | None:
        return Violation(Kind.WEDGE) if state in self.bad_ends else None


def test_a_finite_graph_with_good_ends_holds_and_every_state_was_seen():
    result = explore(Graph({0: [1, 2], 1: [3], 2: [3]}, {1: [4]}))
    assert result.holds, str(result)
    assert result.states == 5


def test_a_violation_comes_with_a_shortest_trace():
    graph = Graph({0: [1, 3], 1: [2], 2: [4], 3: [4]}, violations={4: Violation(Kind.LOSS, "record 7")})
    result = explore(graph)
    assert result.violation == Violation(Kind.LOSS, "record 7")
    assert result.trace == ("step to 3", "step to 4")
    assert "loss: record 7" in str(result)
    assert "2. step to 4" in str(result)


def test_a_bad_end_is_found_even_where_a_fault_could_lead_out_of_it():
    result = explore(Graph({0: [1]}, {1: [2]}, bad_ends=frozenset({1})))
    assert result.violation == Violation(Kind.WEDGE)


def test_a_cycle_is_a_livelock_and_its_shortest_round_is_told():
    result = explore(Graph({0: [1], 1: [2, 4], 2: [3], 3: [1], 4: []}))
    assert result.violation == Violation(Kind.LIVELOCK)
    told = result.trace.index("(from here for ever)")
    assert len(result.trace[told + 1 :]) == 3


def test_two_ways_to_the_same_state_are_no_cycle():
    assert explore(Graph({0: [1, 2, 3], 1: [3], 2: [1, 3]})).holds


def test_only_one_kind_of_violation_is_reported_when_asked_for():
    violations = {1: Violation(Kind.DUPLICATE), 3: Violation(Kind.LATE)}
    graph = Graph({0: [1, 2], 2: [3]}, violations=violations)
    assert explore(graph, only=Kind.LATE).violation == Violation(Kind.LATE)
    assert explore(graph, only=Kind.LOSS).holds


def test_a_search_that_reaches_its_limit_proves_nothing():
    with pytest.raises(SearchLimitReached):
        explore(Graph({number: [number + 1] for number in range(100)}), limit=10)
