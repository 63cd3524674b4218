"""Exactly-once into a real Kafka: what every crash, zombie and lost disk of protocol D leaves in the output topic."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.integration.kafka_store import (
    UID,
    Checkpoint,
    Job,
    Store,
    committed,
    end_offsets,
    open_transaction,
    sink_to,
)
from wiesel.broker.admin import Admin
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.connectors.kafka.naming import progress_topic, transactional_id
from wiesel.core.errors import (
    CheckpointCorruptError,
    ConfigurationError,
    FencedError,
    MissingTopicError,
    ProgressLostError,
    RecordError,
)

pytestmark = pytest.mark.integration


class Sink:
    """A topic, an exactly-once sink into it and the stores of jobs that use it."""

    def __init__(self, kafka: LocalBroker, topic: str, path: Path) -> None:
        self.servers = kafka.bootstrap_servers
        self.topic = topic
        self.prefix = f"prefix-{topic}"
        self.spec = sink_to(self.servers, topic, self.prefix)
        self.progress = progress_topic(self.prefix)
        self._path = path
        self.jobs: list[Job] = []

    def store(self, name: str = "job") -> Store:
        return Store(self._path / name)

    def start(self, store: Store, **options: object) -> Job:
        job = store.begin(self.spec, **options)  # type: ignore[arg-type]
        self.jobs.append(job)
        job.recover()
        return job

    def output(self) -> list[str]:
        return committed(self.servers, self.topic)

    def tid(self, subtask: int = 0) -> str:
        return transactional_id(self.prefix, UID, subtask)

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.servers})


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.2)


@pytest.fixture
def sink(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> Iterator[Sink]:
    sink = Sink(kafka, topic("exactly-once"), tmp_path)
    yield sink
    for job in sink.jobs:
        job.close()


def test_output_is_visible_when_its_checkpoint_is_published_and_not_before(sink: Sink) -> None:
    job = sink.start(sink.store())
    job.write("a", "b")
    job.decide()
    assert sink.output() == []
    job.publish()
    assert sink.output() == ["a", "b"]
    job.checkpoint("c")
    assert sink.output() == ["a", "b", "c"]


def test_an_empty_checkpoint_has_nothing_to_publish(sink: Sink) -> None:
    job = sink.start(sink.store())
    job.checkpoint("a")
    before = end_offsets(sink.servers, sink.topic)
    assert job.decide().pending == []
    job.publish()
    assert end_offsets(sink.servers, sink.topic) == before


def test_segments_decided_and_not_pushed_are_pushed_at_the_next_start(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.checkpoint("a")
    job.write("b", "c")
    job.decide()
    sink.start(store)
    assert sink.output() == ["a", "b", "c"]


def test_segments_pushed_and_not_confirmed_are_skipped_at_the_next_start(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("a", "b")
    job.decide()
    job.publish()  # and dies before the confirmation
    later = sink.start(store)
    later.checkpoint("c")
    assert sink.output() == ["a", "b", "c"]


def test_an_open_transaction_of_a_dead_process_is_aborted_and_its_segment_pushed_anew(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("a")
    job.decide()
    job.close()  # what it fences in the background would fence the dead process's producer, too
    dead = open_transaction(sink.servers, sink.tid(), sink.topic, "a")
    sink.start(store)
    assert sink.output() == ["a"]
    with pytest.raises(KafkaException, match=r"fenced|FENCED"):
        dead.commit_transaction(60)


def test_output_is_delivered_though_the_broker_gave_the_transaction_up_long_ago(sink: Sink) -> None:
    """Where Flink's design loses: the job is down for longer than the transaction timeout."""
    store = sink.store()
    job = sink.start(store)
    job.write("a", "b")
    job.decide()
    job.close()
    dead = open_transaction(sink.servers, sink.tid(), sink.topic, "a", timeout_ms=5000)
    wait_until(lambda: end_offsets(sink.servers, sink.topic) == [2], "the broker's abort marker behind the record")
    with pytest.raises(KafkaException):
        dead.commit_transaction(60)
    sink.start(store)
    assert sink.output() == ["a", "b"]


def test_a_zombie_is_fenced_by_the_newer_start_and_stops(sink: Sink) -> None:
    store = sink.store()
    zombie = sink.start(store)
    zombie.checkpoint("a")
    newer = sink.start(store)
    zombie.write("phantom")
    undecided = store.checkpoint
    zombie.decide()
    with pytest.raises(FencedError, match="start 2"):
        zombie.publish()
    store.checkpoint = undecided
    newer.checkpoint("b")
    assert sink.output() == ["a", "b"]


def test_a_zombie_that_wakes_before_claiming_does_not_stop_the_newer_start(sink: Sink) -> None:
    store = sink.store()
    sleeper = store.begin(sink.spec)
    sink.jobs.append(sleeper)
    newer = sink.start(store)
    newer.checkpoint("a")
    with pytest.raises(FencedError):
        sleeper.recover()
    newer.checkpoint("b")
    assert sink.output() == ["a", "b"]


def test_a_new_job_takes_over_a_prefix_and_the_old_one_stays_stopped(sink: Sink) -> None:
    old_store, new_store = sink.store("old"), sink.store("new")
    old = sink.start(old_store)
    old.checkpoint("old")
    new = sink.start(new_store)
    old.write("late")
    old.decide()
    with pytest.raises(FencedError, match="another job"):
        old.publish()
    with pytest.raises(FencedError, match="set_transactional_id_prefix"):
        sink.start(old_store)  # a supervisor restarts it; it must not take the prefix back
    new.checkpoint("new")
    assert sink.output() == ["old", "new"]


def test_a_progress_topic_created_anew_stops_the_job(sink: Sink, kafka: LocalBroker) -> None:
    store = sink.store()
    job = sink.start(store)
    job.checkpoint("a")
    job.close()
    admin = sink.admin()
    admin.delete_topics([sink.progress])[sink.progress].result()
    with pytest.raises(ProgressLostError, match=r"gone|created anew"):
        sink.start(store)


def test_a_progress_topic_whose_records_were_deleted_stops_the_job(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.checkpoint("a")
    job.close()
    (end,) = end_offsets(sink.servers, sink.progress)
    partition = TopicPartition(sink.progress, 0, end)
    admin = sink.admin()
    _set_cleanup_policy(admin, sink.progress, "compact,delete")  # the broker deletes no records of a compacted topic
    admin.delete_records([partition])[partition].result()
    _set_cleanup_policy(admin, sink.progress, "compact")
    with pytest.raises(ProgressLostError, match="was confirmed, but"):
        sink.start(store)


def _set_cleanup_policy(admin: AdminClient, topic: str, policy: str) -> None:
    entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()
    # The controller has it first, the broker that is asked next a moment later.
    wait_until(lambda: admin.describe_configs([resource])[resource].result()["cleanup.policy"].value == policy, policy)


def test_a_lost_newest_checkpoint_stops_the_job_instead_of_repeating_its_output(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.checkpoint("a")
    older = store.checkpoint
    job.checkpoint("b")
    store.checkpoint = older
    with pytest.raises(ProgressLostError, match="newer checkpoint has existed"):
        sink.start(store)
    assert sink.output() == ["a", "b"]


def test_a_rewind_repeats_exactly_what_came_after_its_checkpoint(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.checkpoint("a")
    older = store.checkpoint
    job.checkpoint("b")
    store.checkpoint = older
    rewound = sink.start(store, lineage=2, rewound=True)
    rewound.checkpoint("b")
    assert sink.output() == ["a", "b", "b"]
    sink.start(store, lineage=2, rewound=True)  # --resume inherits the exemption with the lineage record
    assert sink.output() == ["a", "b", "b"]


def test_a_directory_that_was_run_twice_is_noticed_by_the_content(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("a")
    job.decide()
    job.publish()
    store.checkpoint = Checkpoint(store.lineage(1))
    job = store.begin(sink.spec)
    sink.jobs.append(job)
    job.writers = [sink.spec.create_writer(job._writer_context(0), [])]
    job.write("something else")
    job.decide()
    with pytest.raises(ProgressLostError, match="was published with 1 records"):
        sink.start(store)


def test_segments_of_a_subtask_that_is_no_more_are_delivered_after_rescaling(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store, writers=2)
    job.write("a", subtask=0)
    job.write("b", subtask=1)
    job.decide()
    smaller = sink.start(store, writers=1, lineage=2)
    assert sorted(sink.output()) == ["a", "b"]
    smaller.checkpoint("c")
    larger = sink.start(store, writers=2, lineage=3)
    larger.checkpoint("d", subtask=1)
    assert sorted(sink.output()) == ["a", "b", "c", "d"]


def test_an_aborted_checkpoints_segments_join_the_next_one_in_order(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("a")
    aborted = job.decide().pending
    job.write("b")
    newest = job.decide()
    store.checkpoint = Checkpoint(store.lineage(1), [*aborted, *newest.pending], newest.committer, newest.writers)
    job.publish()
    assert sink.output() == ["a", "b"]


def test_one_epoch_may_have_many_segments(sink: Sink) -> None:
    job = sink.start(sink.store())
    values = [f"{i:05d}" + "x" * 400 for i in range(50_000)]  # more than one segment's bytes
    job.write(*values)
    assert len(job.decide().pending) > 1
    job.publish()
    assert sink.output() == values


def test_a_damaged_segment_publishes_nothing(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("a", "b")
    (committable,) = job.decide().pending
    assert committable.path is not None
    path = store.path / committable.path
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointCorruptError, match="damaged"):
        sink.start(store)
    path.unlink()
    with pytest.raises(CheckpointCorruptError, match="missing"):
        sink.start(store)
    assert sink.output() == []


def test_segments_that_nobody_decided_are_swept_and_others_are_not(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("decided")
    decided = job.decide()
    job.write("undecided")
    job.writers[0].prepare_commit(2)
    wal = store.path / "wal" / UID
    assert len(list(wal.iterdir())) == 2
    sink.start(store)
    assert [f"wal/{UID}/{path.name}" for path in wal.iterdir()] == [decided.pending[0].path]
    assert sink.output() == ["decided"]


def test_a_foreign_open_transaction_delays_the_start_and_nothing_else(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("a")
    job.decide()
    job.publish()
    foreign = open_transaction(sink.servers, "foreign", sink.progress, '{"not": "ours"}')
    restarted: list[Job] = []
    failed: list[BaseException] = []

    def restart() -> None:
        try:
            restarted.append(sink.start(store))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=restart)
    thread.start()
    thread.join(1.5)
    assert thread.is_alive(), "it must wait: the marker could be behind the open transaction"
    foreign.abort_transaction(60)
    thread.join(90)
    assert not thread.is_alive()
    assert not failed
    assert sink.output() == ["a"]


def test_another_prefix_still_delivers_what_was_decided_under_the_old_one(sink: Sink) -> None:
    store = sink.store()
    job = sink.start(store)
    job.write("a")
    job.decide()
    sink.spec = sink_to(sink.servers, sink.topic, f"{sink.prefix}-new")
    renamed = sink.start(store, lineage=2)
    assert sink.output() == ["a"]
    renamed.checkpoint("b")
    sink.start(store)
    assert sink.output() == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "timestamp", "message"),
    [
        ("x" * 1_100_000, None, "larger than"),
        ("x", lambda: int(time.time() * 1000) + 7_200_000, "in the future"),
    ],
    ids=["too large", "too far in the future"],
)
def test_a_record_that_kafka_would_refuse_is_refused_before_it_is_decided(
    sink: Sink, value: str, timestamp: Callable[[], int] | None, message: str
) -> None:
    job = sink.start(sink.store())
    with pytest.raises(RecordError, match=message):
        job.write(value, timestamp=timestamp() if timestamp else None)
    job.checkpoint("a")
    assert sink.output() == ["a"]


def test_a_record_as_large_as_kafka_takes_is_published(sink: Sink) -> None:
    job = sink.start(sink.store())
    value = "x" * 1_048_000
    job.checkpoint(value)
    assert sink.output() == [value]


def test_a_topic_that_takes_small_batches_gets_small_batches(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    sink = Sink(kafka, topic("small-batches", properties={"max.message.bytes": "20000"}), tmp_path)
    job = sink.start(sink.store())
    values = [f"{i:04d}" + "y" * 200 for i in range(2000)]
    job.checkpoint(*values)
    assert sink.output() == values
    job.close()


def test_a_missing_output_topic_is_named_before_anything_is_written(kafka: LocalBroker, tmp_path: Path) -> None:
    sink = Sink(kafka, "never-created", tmp_path)
    job = sink.store().begin(sink.spec)
    with pytest.raises(MissingTopicError, match="wiesel kafka topics create never-created"):
        sink.spec.create_writer(job._writer_context(0), [])
    job.close()


def test_a_progress_topic_that_would_forget_is_refused(sink: Sink, topic: TopicFactory) -> None:
    forgetful = topic("forgetful", properties={"retention.ms": "1000"})
    sink.spec = sink_to(sink.servers, sink.topic, sink.prefix, **{"wiesel.progress-topic": forgetful})
    with pytest.raises(ConfigurationError, match=r"cleanup\.policy=compact"):
        sink.start(sink.store())


def test_a_broker_that_is_restarted_during_a_push_costs_time_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    home = tmp_path_factory.mktemp("bounced")
    broker = LocalBroker.start(home)
    try:
        Admin(broker.bootstrap_servers).create_topic("out", 1)
        sink = Sink(broker, "out", tmp_path)
        job = sink.start(sink.store())
        job.checkpoint("a")
        # Not kill -9: a lone broker that is killed may forget to end a transaction (docs/testing.md).
        broker.stop()
        job.write("b")
        job.decide()
        failed: list[BaseException] = []

        def publish() -> None:
            try:
                job.publish()
            except BaseException as error:
                failed.append(error)

        pushing = threading.Thread(target=publish)
        pushing.start()
        pushing.join(2)
        assert pushing.is_alive()
        broker = LocalBroker.start(home, port=broker.port)
        pushing.join(90)
        assert not pushing.is_alive()
        assert not failed
        job.checkpoint("c")
        assert sink.output() == ["a", "b", "c"]
        job.close()
    finally:
        broker.stop(delete=True)
