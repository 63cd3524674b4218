"""Segments: what is written is what is read, and everything else is found."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from wiesel.connectors.kafka.admin import TopicDescription
from wiesel.connectors.kafka.admission import Admission
from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.encoding import EncodedRecord
from wiesel.connectors.kafka.wal import Block, SegmentFile, read_segment
from wiesel.connectors.kafka.wal_writer import WalWriter
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Committable, Json, SinkContext
from wiesel.core.disk import Disk, OsAppendFile, OsDisk
from wiesel.core.errors import CheckpointCorruptError, CheckpointError, MissingTopicError, RecordError

NOW = 1_700_000_000_000
BLOCKS: list[Block] = [("a", -1, [(b"k", b"v", 1), (None, None, 2)]), ("b", 3, [(b"", b"\x00\xff", 3)])]


class Clock:
    def now_ms(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Topics:
    """The cluster's answers about topics; ``asked`` counts the questions."""

    def __init__(self, **settings: dict[str, str]) -> None:
        self.settings = settings
        self.asked: list[str] = []

    def describe(self, topics: Sequence[str]) -> dict[str, TopicDescription]:
        self.asked += topics
        for topic in topics:
            if topic not in self.settings:
                raise MissingTopicError(topic)
        return {topic: TopicDescription(topic, "id", 1) for topic in topics}

    def topic_configuration(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        return {topic: self.settings[topic] for topic in topics}


class RefusingDisk(OsDisk):
    """A full disk."""

    def create(self, path: Path) -> OsAppendFile:
        raise OSError(28, "No space left on device")


def encode(value: object) -> EncodedRecord:
    topic, _, data = str(value).partition(":")
    return topic, None, data.encode()


_starts = itertools.count()


def writer(
    path: Path,
    *,
    state: Sequence[Json] = (),
    owner: str = "process",
    topics: Topics | None = None,
    disk: Disk | None = None,
    **options: object,
) -> WalWriter:
    context = SinkContext("sink", "Sink", 0, 1, "L.1", 0, path, Configuration(), Clock(), _fail)
    start, names = next(_starts), itertools.count()
    return WalWriter(
        "prefix-sink-0",
        encode,
        Admission(topics or Topics(t={}, u={}), 1_048_576),
        context,
        state,
        disk or OsDisk(),
        owner,
        lambda: f"{start}-{next(names)}",
        **options,  # type: ignore[arg-type]
    )


def _fail(error: BaseException) -> None:
    raise error


def values(path: Path, committables: Sequence[Committable]) -> list[str]:
    segments = [Segment.from_json(committable.data) for committable in committables]
    blocks = [block for segment in segments for block in read_segment(OsDisk(), path, segment)]
    return [f"{topic}:{(data or b'').decode()}" for topic, _, records in blocks for _, data, _ in records]


def segment(path: Path) -> Segment:
    file = SegmentFile(OsDisk(), path / "s.wal")
    for block in BLOCKS:
        file.append(block)
    return file.finish("tid", "L.1", 7, 3, "s.wal")


def test_a_segment_holds_what_was_appended(tmp_path: Path) -> None:
    written = segment(tmp_path)
    assert list(read_segment(OsDisk(), tmp_path, written)) == BLOCKS
    assert (written.seq, written.count, written.topics) == (7, 3, ("a", "b"))
    assert written.size == (tmp_path / "s.wal").stat().st_size


@pytest.mark.parametrize("position", range(0, 150, 7))
def test_one_changed_byte_anywhere_is_found(tmp_path: Path, position: int) -> None:
    written = segment(tmp_path)
    content = bytearray((tmp_path / "s.wal").read_bytes())
    content[position % len(content)] ^= 0x40
    (tmp_path / "s.wal").write_bytes(content)
    with pytest.raises(CheckpointCorruptError, match=r"s\.wal is damaged"):
        read_segment(OsDisk(), tmp_path, written)


@pytest.mark.parametrize(
    "change",
    [lambda content: content[:-1], lambda content: content + b"x", lambda content: b""],
    ids=["cut short", "longer", "empty"],
)
def test_another_length_is_found(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    written = segment(tmp_path)
    (tmp_path / "s.wal").write_bytes(change((tmp_path / "s.wal").read_bytes()))
    with pytest.raises(CheckpointCorruptError):
        read_segment(OsDisk(), tmp_path, written)


def test_another_segments_file_in_its_place_is_found(tmp_path: Path) -> None:
    written = segment(tmp_path)
    other = SegmentFile(OsDisk(), tmp_path / "other.wal")
    for block in BLOCKS:
        other.append(block)
    other.finish("tid", "L.1", 8, 3, "other.wal")
    (tmp_path / "other.wal").replace(tmp_path / "s.wal")
    with pytest.raises(CheckpointCorruptError):
        read_segment(OsDisk(), tmp_path, written)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    written = segment(tmp_path)
    (tmp_path / "s.wal").unlink()
    with pytest.raises(CheckpointCorruptError, match=r"s\.wal is missing: it holds 3 records"):
        read_segment(OsDisk(), tmp_path, written)


def test_an_epochs_records_become_one_segment_with_the_next_number(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    writing.write("t:a", NOW)
    writing.write("t:b", NOW)
    first = writing.prepare_commit(1)
    writing.write("t:c", NOW)
    second = writing.prepare_commit(2)
    assert [committable.data["seq"] for committable in (*first, *second)] == [1, 2]
    assert [committable.data["checkpoint_id"] for committable in (*first, *second)] == [1, 2]
    assert values(tmp_path, first) == ["t:a", "t:b"]
    assert values(tmp_path, second) == ["t:c"]


def test_an_epoch_without_records_has_no_segment_and_no_number(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    assert list(writing.prepare_commit(1)) == []
    assert writing.snapshot()["seq"] == 0
    assert not (tmp_path / "wal").exists()


def test_numbers_go_on_in_the_same_lineage_and_begin_anew_in_another(tmp_path: Path) -> None:
    own = {"tid": "prefix-sink-0", "lineage": "L.1", "seq": 4}
    other_lineage = {"tid": "prefix-sink-0", "lineage": "L.0", "seq": 9}
    other_subtask = {"tid": "prefix-sink-1", "lineage": "L.1", "seq": 11}
    for state, expected in (([own, other_lineage, other_subtask], 5), ([other_lineage], 1)):
        writing = writer(tmp_path / str(expected), state=state)
        writing.write("t:a", NOW)
        assert [committable.data["seq"] for committable in writing.prepare_commit(1)] == [expected]


def test_a_large_epoch_becomes_several_segments_in_order(tmp_path: Path) -> None:
    writing = writer(tmp_path, segment_bytes=20_000)
    expected = [f"t:{i}" for i in range(10_000)]
    for value in expected:
        writing.write(value, NOW)
    committables = writing.prepare_commit(5)
    assert [committable.data["seq"] for committable in committables] == list(range(1, len(committables) + 1))
    assert len(committables) > 3
    assert {committable.data["checkpoint_id"] for committable in committables} == {5}
    assert values(tmp_path, committables) == expected


def test_records_of_one_topic_keep_their_order_beside_another_topic(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    for i in range(2_000):
        writing.write(f"{'t' if i % 3 else 'u'}:{i}", NOW)
    found = values(tmp_path, writing.prepare_commit(1))
    assert [value for value in found if value[0] == "u"] == [f"u:{i}" for i in range(0, 2_000, 3)]
    assert len(found) == 2_000


def test_a_record_without_event_time_gets_the_time_of_writing(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    writing.write("t:a", -(2**63))
    (committable,) = writing.prepare_commit(1)
    ((_, _, records),) = read_segment(OsDisk(), tmp_path, Segment.from_json(committable.data))
    assert records == [(None, b"a", NOW)]


def test_what_a_topic_does_not_take_is_refused_at_the_record(tmp_path: Path) -> None:
    limits = {
        "max.message.bytes": "1000",
        "message.timestamp.after.max.ms": "5000",
        "message.timestamp.before.max.ms": "60000",
    }
    writing = writer(tmp_path, topics=Topics(t=limits))
    writing.write("t:" + "x" * 800, NOW + 5_000)
    writing.write("t:x", NOW - 60_000)
    for value, timestamp, message in (
        ("t:" + "x" * 900, NOW, "larger than"),
        ("t:x", NOW + 5_001, "1 ms in the future|in the future"),
        ("t:x", NOW - 60_001, "in the past"),
    ):
        with pytest.raises(RecordError, match=message):
            writing.write(value, timestamp)
    with pytest.raises(MissingTopicError):
        writing.write("nowhere:x", NOW)
    assert len(values(tmp_path, writing.prepare_commit(1))) == 2


def test_a_topic_is_asked_about_once(tmp_path: Path) -> None:
    topics = Topics(t={})
    writing = writer(tmp_path, topics=topics)
    for _ in range(2_000):
        writing.write("t:x", NOW)
    assert topics.asked == ["t"]


def test_a_full_disk_fails_the_checkpoint_and_names_the_directory(tmp_path: Path) -> None:
    writing = writer(tmp_path, disk=RefusingDisk())
    writing.write("t:a", NOW)
    with pytest.raises(CheckpointError, match=r"cannot write its log .*No space left on device"):
        writing.prepare_commit(1)


def test_an_open_segment_is_removed_when_the_writer_closes(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    writing.write("t:a", NOW)
    writing.flush()
    assert len(list((tmp_path / "wal" / "sink").iterdir())) == 1
    writing.close()
    assert list((tmp_path / "wal" / "sink").iterdir()) == []


def test_a_restarted_task_removes_what_its_earlier_attempt_wrote_and_nobody_decided(tmp_path: Path) -> None:
    first = writer(tmp_path)
    first.write("t:decided", NOW)
    (decided,) = first.prepare_commit(1)
    state = first.snapshot()
    first.write("t:undecided", NOW)
    first.prepare_commit(2)
    other = writer(tmp_path, owner="another process")
    other.write("t:of the newer start", NOW)
    (foreign,) = other.prepare_commit(2)
    writer(tmp_path, state=[state])
    assert sorted(f"wal/sink/{path.name}" for path in (tmp_path / "wal" / "sink").iterdir()) == sorted(
        str(committable.path) for committable in (decided, foreign)
    )


def test_the_bytes_of_records_are_counted_block_by_block_and_what_is_not_full_yet_too(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    for _ in range(100):
        writing.write("t:" + "x" * 5000, NOW)
    assert writing.bytes_written() == 100 * 5000
    writing.flush()
    writing.write("u:four", NOW)
    assert writing.bytes_written() == 100 * 5000 + 4
