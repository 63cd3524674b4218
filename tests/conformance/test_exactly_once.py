"""The exactly-once sink through its contracts, on both clusters: the same crashes leave the same output."""

from __future__ import annotations

import pytest

from tests.conformance.clusters import Cluster
from wiesel.connectors.kafka.naming import transactional_id
from wiesel.core.errors import FencedError, ProgressLostError


def test_decided_output_is_pushed_at_the_next_start_and_published_output_is_skipped(cluster: Cluster) -> None:
    topic, store = cluster.topic(), cluster.store()
    sink = cluster.sink(topic)
    job = store.start(sink)
    job.checkpoint("a")
    job.write("b")
    job.decide()  # and dies before the push
    job = store.start(sink)
    cluster.expect(topic, ["a", "b"])
    job.write("c")
    job.decide()
    job.publish()  # and dies before the confirmation
    job = store.start(sink)
    job.checkpoint("d")
    cluster.expect(topic, ["a", "b", "c", "d"])
    job.close()


def test_an_open_transaction_of_a_dead_process_is_aborted_and_pushed_anew(cluster: Cluster) -> None:
    topic, store = cluster.topic(), cluster.store()
    sink = cluster.sink(topic)
    job = store.start(sink)
    job.write("a")
    job.decide()
    job.close()  # dead: it fences nothing ahead any more
    cluster.open_transaction(transactional_id(f"prefix-{topic}", "sink", 0), topic, "a")
    job = store.start(sink)
    cluster.expect(topic, ["a"])
    assert cluster.read(topic, "read_uncommitted") == ["a", "a"]
    job.close()


def test_a_zombie_stops_and_the_newer_start_goes_on(cluster: Cluster) -> None:
    topic, store = cluster.topic(), cluster.store()
    sink = cluster.sink(topic)
    zombie = store.start(sink)
    zombie.checkpoint("a")
    newer = store.start(sink)
    undecided = store.checkpoint
    zombie.write("phantom")
    zombie.decide()
    with pytest.raises(FencedError, match="start 2"):
        zombie.publish()
    store.checkpoint = undecided
    newer.checkpoint("b")
    cluster.expect(topic, ["a", "b"])
    zombie.close()
    newer.close()


def test_another_store_takes_a_prefix_over_once_and_for_all(cluster: Cluster) -> None:
    topic, old_store, new_store = cluster.topic(), cluster.store("old"), cluster.store("new")
    sink = cluster.sink(topic)
    old = old_store.start(sink)
    old.checkpoint("old")
    new = new_store.start(sink)
    with pytest.raises(FencedError, match="another job"):
        old_store.start(sink)
    new.checkpoint("new")
    cluster.expect(topic, ["old", "new"])
    old.close()
    new.close()


def test_a_lost_newest_checkpoint_stops_the_job(cluster: Cluster) -> None:
    topic, store = cluster.topic(), cluster.store()
    sink = cluster.sink(topic)
    job = store.start(sink)
    job.checkpoint("a")
    older = store.checkpoint
    job.checkpoint("b")
    store.checkpoint = older
    with pytest.raises(ProgressLostError, match="newer checkpoint has existed"):
        store.start(sink)
    cluster.expect(topic, ["a", "b"])
    job.close()


def test_a_rewind_repeats_exactly_what_came_after_its_checkpoint(cluster: Cluster) -> None:
    topic, store = cluster.topic(), cluster.store()
    sink = cluster.sink(topic)
    job = store.start(sink)
    job.checkpoint("a")
    older = store.checkpoint
    job.checkpoint("b")
    store.checkpoint = older
    rewound = store.start(sink, lineage=2, rewound=True)
    rewound.checkpoint("b")
    cluster.expect(topic, ["a", "b", "b"])
    job.close()
    rewound.close()


def test_segments_of_a_subtask_that_is_no_more_are_delivered(cluster: Cluster) -> None:
    topic, store = cluster.topic(), cluster.store()
    sink = cluster.sink(topic)
    job = store.start(sink, writers=2)
    job.write("a", subtask=0)
    job.write("b", subtask=1)
    job.decide()
    smaller = store.start(sink, writers=1, lineage=2)
    cluster.expect(topic, ["a", "b"])
    smaller.checkpoint("c")
    cluster.expect(topic, ["a", "b", "c"])
    job.close()
    smaller.close()
