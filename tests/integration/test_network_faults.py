"""Networks that lie (rows F18, F19, F24, F36, F37 of the fault matrix); rules 1 to 4 and 8, each switched off too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.kafka_store import Job, Store, open_transaction
from tests.integration.network import Gate, Line, Network, Side, close
from wiesel.connectors.kafka import ablation, delivery, progress_log
from wiesel.core.errors import FencedError, WieselError
from wiesel.testing.kafka_proxy import Action, Api, Rule

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ONCE = ["a1", "a2", "b1", "b2"]
#: The claim's transaction ends first, then that of the first checkpoint.
_CLAIM = 1
#: What `WIESEL_ABLATE` chooses for a whole process, here for one test of this one.
_WITHOUT: dict[str, tuple[object, str, object]] = {
    "rule1": (delivery, "fenced", ablation.FencedLate),
    "rule2": (delivery, "LOOKS_AFTER_EVERY_FENCE", False),
    "rule3": (delivery, "FRESH_PRODUCER_EACH", False),
    "rule4": (progress_log, "WAITS_FOR_ECHO", False),
    "rule8": (delivery, "check_claim", ablation.no_claims),
}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"))
    yield network
    network.close()


@pytest.fixture
def line(network: Network, tmp_path: Path) -> Iterator[Line]:
    yield Line(network, tmp_path)
    network.proxy.clear()


@pytest.fixture
def jobs() -> Iterator[list[Job]]:
    jobs: list[Job] = []
    yield jobs
    close(jobs)


@pytest.fixture
def switch_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def switch_off(rule: str) -> None:
        if rule:
            monkeypatch.setattr(*_WITHOUT[rule])

    return switch_off


def told_with_and_without(rule: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("off", ["", rule], ids=["with it", "without it"])


def publish(line: Line, jobs: list[Job], off: str, timeout_ms: int = 60_000) -> list[str]:
    """Publish two checkpoints, and return what readers of committed records see."""
    jobs.append(line.store().start(line.sink(timeout_ms)))
    try:
        jobs[0].checkpoint("a1", "a2")
        jobs[0].checkpoint("b1", "b2")
    except WieselError:
        assert off, "with all rules nothing may fail"
    return line.output()


def hold_the_fence_behind_the_claim(line: Line, gate: Gate) -> None:
    """Let the next start's claim through, and hold the fence that comes next."""
    fence = Rule(Api.INIT_PRODUCER_ID, Action.LET_BY, containing=line.tid.encode(), first=gate.pass_through)
    line.proxy.add(Rule(Api.END_TXN, Action.LET_BY, first=lambda: line.proxy.add(fence)))


@told_with_and_without("rule2")
def test_a_commit_whose_answer_is_lost_is_not_published_again(
    line: Line, jobs: list[Job], off: str, switch_off: Callable[[str], None]
) -> None:
    """F18. Rule 2: what was read of the progress topic before a fence does not count behind it.

    Without it the first checkpoint is published twice; before the second one rule 8 stops the job, too late.
    """
    switch_off(off)
    line.proxy.add(Rule(Api.END_TXN, Action.SWALLOW, skip=_CLAIM))
    assert publish(line, jobs, off, timeout_ms=5000) == (["a1", "a2", "a1", "a2"] if off else ONCE)


@told_with_and_without("rule3")
def test_a_commit_that_arrives_late_does_not_end_the_next_transaction(
    line: Line, jobs: list[Job], off: str, switch_off: Callable[[str], None]
) -> None:
    """F19 (KAFKA-17754). Rule 3: a producer carries one transaction, and its successor fences its delayed requests.

    Without it the first half of the second transaction, its records or its marker, is committed alone. The other half
    is refused, so the job begins anew with what the marker says: the records come twice, or never.
    """
    switch_off(off)
    released: list[int] = []

    def release() -> None:
        time.sleep(1)  # until the first half is in the log
        released.append(line.proxy.release())
        time.sleep(1.5)  # until the broker has done what the late request says

    line.proxy.add(Rule(Api.END_TXN, Action.HOLD, skip=_CLAIM))
    # The claim is one request, each checkpoint two: its records and its marker go to different partitions.
    line.proxy.add(Rule(Api.PRODUCE, Action.LET_BY, skip=3, containing=line.tid.encode(), then=release))
    output = publish(line, jobs, off)
    assert released == [1]
    assert output in ([["a1", "a2"], [*ONCE, "b1", "b2"]] if off else [ONCE])


@told_with_and_without("rule1")
def test_an_old_start_that_was_slow_to_fence_does_not_publish_beside_the_new_one(
    line: Line, jobs: list[Job], off: str, switch_off: Callable[[str], None]
) -> None:
    """F20, F3. Rule 1: fence, then look. The old start's fence is on its way while the new start claims and looks.

    Whoever looks first and fences later publishes what somebody else has published in between.
    """
    switch_off(off)
    store, sink, old_fence, new_fence = line.store(), line.sink(), Gate(), Gate()
    hold_the_fence_behind_the_claim(line, old_fence)
    jobs.append(old := store.start(sink))
    old.write("a1", "a2")
    old.decide()
    publishing = Side(old.publish)
    publishing.await_at(old_fence)
    hold_the_fence_behind_the_claim(line, new_fence)
    jobs.append(new := store.begin(sink))
    starting = Side(new.recover)
    starting.await_at(new_fence)
    old_fence.open()
    stopped = publishing.end()
    while line.has_open_transaction():
        time.sleep(0.05)
    time.sleep(1)  # until its coordinator knows that, too: it would tell the next fence to come back later
    new_fence.open()
    assert starting.end() is None
    assert isinstance(stopped, FencedError) is not bool(off), stopped
    assert line.output() == (["a1", "a2", "a1", "a2"] if off else ["a1", "a2"])


@told_with_and_without("rule4")
def test_a_marker_behind_a_foreign_open_transaction_is_waited_for(
    line: Line, jobs: list[Job], off: str, switch_off: Callable[[str], None]
) -> None:
    """F37. Rule 4: what lies behind the last stable offset is not "not there"."""
    store, sink = line.store(), line.sink()
    jobs.append(store.start(sink))
    foreign = []

    def pin() -> None:
        foreign.append(open_transaction(line.servers, "foreign", line.progress, '{"not": "ours"}'))

    # The foreign record comes into the progress topic just before the marker.
    line.proxy.add(Rule(Api.PRODUCE, Action.LET_BY, containing=line.tid.encode(), first=pin))
    jobs[0].write("a1", "a2")
    jobs[0].decide()
    jobs[0].publish()
    jobs[0].at_once = True  # it dies before it can tell a checkpoint
    switch_off(off)
    jobs.append(store.begin(sink))
    starting = Side(jobs[1].recover)
    starting.join(90 if off else 1.5)
    assert starting.is_alive() is not bool(off)
    foreign[0].abort_transaction(60)
    assert starting.end() is None
    assert line.output() == (["a1", "a2", "a1", "a2"] if off else ["a1", "a2"])


@pytest.mark.parametrize(
    "long_away",
    [pytest.param(True, id="long away"), pytest.param(False, id="back in time", marks=pytest.mark.exhaustive)],
)
def test_output_outlives_the_transaction_that_was_to_publish_it(line: Line, jobs: list[Job], long_away: bool) -> None:
    """F24. The job dies after the decision, its EndTxn is still under way, and it is away for longer than transactions.

    The late EndTxn is what a sink of two phases sends when it is back: the broker refuses it, and that sink has lost
    its output. When it is back in time the very same request commits: the start then finds its marker and skips.
    """
    store = line.store()
    jobs.append(job := store.start(line.sink(8000 if long_away else 20_000)))
    line.proxy.add(Rule(Api.END_TXN, Action.HOLD, times=1000, then=lambda: setattr(job, "at_once", True)))
    job.write("a1", "a2")
    job.decide()
    with pytest.raises(WieselError, match="stopped at once"):
        job.publish()
    assert line.has_open_transaction()
    while long_away and line.has_open_transaction():
        time.sleep(0.1)  # until the broker gives it up
    assert line.proxy.release() >= 1
    time.sleep(0.5)
    line.proxy.clear()
    assert line.output() == ([] if long_away else ["a1", "a2"])
    jobs.append(store.start(line.sink()))
    assert line.output() == ["a1", "a2"]


@told_with_and_without("rule8")
def test_of_two_jobs_with_one_prefix_the_first_stops_and_stays_stopped(
    line: Line, jobs: list[Job], off: str, switch_off: Callable[[str], None]
) -> None:
    """F36. Rule 8, its claims: without them both publish, fencing each other in turn."""
    switch_off(off)
    stores: list[Store] = [line.store("first"), line.store("second")]
    jobs += [store.start(line.sink()) for store in stores]
    stopped: list[Exception] = []
    for value in ("1", "2", "3"):
        for job in list(jobs):
            try:
                job.checkpoint(value)
            except FencedError as error:
                stopped.append(error)
                jobs.remove(job)
                close([job])
                again = stores[0].begin(line.sink())  # by its supervisor
                with pytest.raises(FencedError):
                    again.recover()
                close([again])
    assert len(stopped) == (0 if off else 1)
    assert line.output() == (["1", "1", "2", "2", "3", "3"] if off else ["1", "2", "3"])
