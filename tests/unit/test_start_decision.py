"""What a start continues: lineages, restores and refusals, over a real directory."""

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.sinks import PublishingSink
from tests.support.tasks import job_graph
from wiesel.cluster.options import JobOptions
from wiesel.cluster.start import Start, begin
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Committable
from wiesel.core.errors import (
    CheckpointCorruptError,
    CheckpointError,
    CheckpointForeignError,
    LeaseLostError,
    RestoreRefusedError,
)
from wiesel.datastream.connectors.base import Sink
from wiesel.runtime.checkpoint.manifest import CheckpointManifest


class Jobs:
    """Starts of one job."""

    def __init__(self, directory: Path, configured: bool = True) -> None:
        key = directory / "key"
        key.write_bytes(b"k" * 32)
        self.configuration = Configuration()
        self.configuration.set_string("wiesel.checkpoint.key-file", str(key))
        if configured:
            self.configuration.set_string("execution.checkpointing.dir", str(directory / "checkpoints"))
        self.path = directory / "checkpoints" / "job"

    def start(self, parallelism: int = 1, **options: Any) -> Start:
        graph = job_graph(lambda env: env.from_collection([1]).sink_to(Sink(PublishingSink())).uid("sink"), parallelism)
        return begin(graph, JobOptions("job", self.configuration, **options))

    def run(
        self, number: int | None = None, *, outcome: str | None = None, pending: tuple[str, ...] = (), **options: Any
    ) -> Start:
        """Start, complete a checkpoint, and die or end."""
        start = self.start(**options)
        if number is not None:
            manifest = CheckpointManifest(
                number, start.lineage.lineage_id, 0, pending=[Committable("sink", {"name": name}) for name in pending]
            )
            start.storage.begin(number)
            start.storage.publish(manifest)
            start.directory.update(last_checkpoint=number)
        if outcome is not None:
            start.directory.update_newest(outcome=outcome)
        start.directory.close()
        return start


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


def restored(start: Start) -> int | None:
    start.directory.close()
    return None if start.restore is None else start.restore.checkpoint_id


def test_the_first_start_begins_a_lineage_and_restores_nothing(jobs: Jobs) -> None:
    start = jobs.start()
    assert (start.lineage.kind, start.lineage.base, start.restore) == ("first", None, None)
    assert start.next_checkpoint_id == 1
    assert start.directory.record.start == 1
    start.directory.close()


def test_resume_goes_on_in_the_same_lineage_from_its_latest_checkpoint_with_what_is_still_to_be_delivered(
    jobs: Jobs,
) -> None:
    first = jobs.run(3, pending=("a",))
    second = jobs.start(resume=True)
    assert second.lineage == first.lineage
    assert list(second.pending) == [Committable("sink", {"name": "a"})]
    assert second.next_checkpoint_id == 4
    assert restored(second) == 3


def test_resume_starts_fresh_when_no_checkpoint_was_ever_completed(jobs: Jobs) -> None:
    jobs.run()
    assert restored(jobs.start(resume=True)) is None


def test_resume_of_a_finished_job_has_nothing_to_do(jobs: Jobs) -> None:
    jobs.run(1, outcome="finished")
    start = jobs.start(resume=True)
    assert start.finished
    start.directory.close()


def test_resume_of_a_stopped_job_goes_on(jobs: Jobs) -> None:
    jobs.run(1, outcome="stopped")
    start = jobs.start(resume=True)
    assert start.lineage.outcome == "running"
    assert restored(start) == 1


def test_a_plain_start_over_an_unfinished_run_is_refused_naming_both_ways_out(jobs: Jobs) -> None:
    jobs.run(1)
    with pytest.raises(RestoreRefusedError, match=r"chk-1.*--resume.*--fresh"):
        jobs.start()


def test_a_plain_start_over_a_finished_run_begins_anew(jobs: Jobs) -> None:
    jobs.run(1, outcome="finished")
    start = jobs.start()
    assert start.lineage.kind == "fresh"
    assert restored(start) is None


def test_a_plain_start_in_the_default_directory_begins_anew_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    jobs = Jobs(tmp_path, configured=False)
    jobs.run(1)
    assert restored(jobs.start()) is None
    assert "--resume would have gone on from it" in caplog.text


def test_fresh_begins_a_new_lineage_whose_checkpoints_get_numbers_never_used_before(jobs: Jobs) -> None:
    first = jobs.run(5)
    start = jobs.start(fresh=True)
    assert start.lineage.lineage_id != first.lineage.lineage_id
    assert start.lineage.rewound
    assert start.next_checkpoint_id == 6
    assert start.owned == set(), "the earlier lineage's checkpoints are the user's now"
    assert restored(start) is None


def test_resume_after_a_fresh_start_never_reaches_back_into_the_earlier_lineage(jobs: Jobs) -> None:
    jobs.run(5)
    jobs.run(fresh=True)
    assert restored(jobs.start(resume=True)) is None


def test_a_start_from_a_chosen_checkpoint_begins_a_new_lineage_there(jobs: Jobs) -> None:
    jobs.run(1)
    jobs.run(2, resume=True)
    start = jobs.start(from_savepoint=str(jobs.path / "chk-1"))
    assert (start.lineage.kind, start.lineage.rewound) == ("savepoint", True)
    assert restored(start) == 1


def test_output_that_a_chosen_checkpoint_has_still_to_deliver_comes_along_from_another_job_directory(
    jobs: Jobs, tmp_path: Path
) -> None:
    start = jobs.start()
    segment = start.storage.directory / "wal" / "sink" / "1.wal"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"records")
    pending = [Committable("sink", {}, "wal/sink/1.wal"), Committable("sink", {}, "wal/sink/published.wal")]
    start.storage.begin(1)
    start.storage.publish(CheckpointManifest(1, start.lineage.lineage_id, 0, pending=pending))
    start.directory.close()
    (tmp_path / "elsewhere").mkdir()
    moved = Jobs(tmp_path / "elsewhere").start(from_savepoint=str(start.storage.path_of(1)))
    assert (moved.directory.path / "wal" / "sink" / "1.wal").read_bytes() == b"records"
    assert moved.pending == pending
    moved.directory.close()


def test_resume_of_a_lineage_without_checkpoints_goes_back_to_where_it_began(jobs: Jobs) -> None:
    jobs.run(1)
    jobs.run(2, resume=True)
    jobs.run(from_savepoint=str(jobs.path / "chk-1"))
    assert restored(jobs.start(resume=True)) == 1


def test_another_parallelism_begins_a_new_lineage_at_the_same_checkpoint(jobs: Jobs) -> None:
    first = jobs.run(4, pending=("a",))
    start = jobs.start(parallelism=2, resume=True)
    assert start.lineage.kind == "reshaped"
    assert start.lineage.lineage_id != first.lineage.lineage_id
    assert not start.lineage.rewound
    assert start.directory.record.max_parallelism_started == {"sink": 2}
    assert restored(start) == 4


def test_a_reshaped_start_answers_for_the_lineages_behind_what_it_restores_that_have_no_checkpoint(jobs: Jobs) -> None:
    """A backup from before their first checkpoint looks like that, and they may have published since."""
    first = jobs.run()
    second = jobs.run(resume=True, parallelism=2)
    third = jobs.run(3, resume=True, parallelism=1)
    again = jobs.run(resume=True, parallelism=1)
    fourth = jobs.run(resume=True, parallelism=2)
    chosen = jobs.run(from_savepoint=str(jobs.path / "chk-3"), parallelism=2)
    sixth = jobs.run(resume=True, parallelism=1)
    ids = [start.lineage.lineage_id for start in (first, second, third, fourth, chosen, sixth)]
    assert len(set(ids)) == 6
    assert [start.continues for start in (first, second, third, again, fourth, chosen, sixth)] == [
        set(),
        {ids[0]},
        {ids[0], ids[1]},
        set(),
        set(),
        set(),
        {ids[4]},
    ]


def test_a_newest_checkpoint_that_is_gone_is_never_replaced_by_an_older_one(jobs: Jobs) -> None:
    jobs.run(1)
    start = jobs.run(2, resume=True)
    start.storage.discard(2)
    with pytest.raises(RestoreRefusedError, match=r"chk-2.*-s PATH.*--fresh"):
        jobs.start(resume=True)


@pytest.mark.parametrize("options", [{"fresh": True}, {"from_savepoint": "chk-1"}])
def test_the_ways_out_that_a_refusal_names_are_open(jobs: Jobs, options: dict[str, Any]) -> None:
    jobs.run(1)
    jobs.run(2, resume=True).storage.discard(2)
    if "from_savepoint" in options:
        options = {"from_savepoint": str(jobs.path / "chk-1")}
    assert restored(jobs.start(**options)) == (1 if "from_savepoint" in options else None)


def test_the_checkpoint_that_a_rescaled_job_began_at_may_get_its_metadata_back(jobs: Jobs) -> None:
    """The new lineage has no checkpoint of its own yet, so nothing but its base is the job's state."""
    jobs.run(3)
    jobs.run(parallelism=2, resume=True)
    metadata = jobs.path / "chk-3" / "_metadata"
    aside = metadata.rename(jobs.path / "aside")
    with pytest.raises(CheckpointError, match="chk-3 holds no complete checkpoint"):
        jobs.start(2, resume=True)
    aside.rename(metadata)
    assert restored(jobs.start(2, resume=True)) == 3


def test_one_byte_flipped_in_the_newest_checkpoint_ends_the_start_and_an_older_one_can_be_chosen(jobs: Jobs) -> None:
    jobs.run(1)
    jobs.run(2, resume=True)
    metadata = jobs.path / "chk-2" / "_metadata"
    content = bytearray(metadata.read_bytes())
    content[-3] ^= 1
    metadata.write_bytes(content)
    with pytest.raises(CheckpointCorruptError, match="chk-2"):
        jobs.start(resume=True)
    assert restored(jobs.start(from_savepoint=str(jobs.path / "chk-1"))) == 1


def test_a_checkpoint_of_another_installation_is_restored_only_when_trusted(jobs: Jobs, tmp_path: Path) -> None:
    jobs.run(1)
    (tmp_path / "key").write_bytes(b"other" * 8)
    with pytest.raises(CheckpointForeignError, match="--trust-pickle"):
        jobs.start(resume=True)
    assert restored(jobs.start(resume=True, trust_pickle=True)) == 1


def test_a_second_copy_of_a_running_job_is_refused(jobs: Jobs) -> None:
    running = jobs.start()
    with pytest.raises(LeaseLostError, match="Another copy of this job is running"):
        jobs.start(resume=True)
    running.directory.close()


def test_what_an_unfinished_checkpoint_left_is_removed(jobs: Jobs) -> None:
    start = jobs.run(1)
    start.storage.begin(2)
    jobs.start(resume=True).directory.close()
    assert start.storage.all_ids() == [1]


def test_a_start_that_finds_no_room_says_so_and_changes_nothing(jobs: Jobs) -> None:
    jobs.run(3)
    before = (jobs.path / "_store").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(CheckpointError, match=r"could not be started: File too large \(.*_store.tmp\). Make room"):
            jobs.start(resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (jobs.path / "_store").read_bytes() == before
    assert restored(jobs.start(resume=True)) == 3


def test_every_start_has_a_number_of_its_own(jobs: Jobs) -> None:
    numbers: list[int] = []
    modes: list[Callable[[], Start]] = [jobs.run, lambda: jobs.run(resume=True), lambda: jobs.run(fresh=True)]
    numbers = [mode().directory.record.start for mode in modes]
    assert numbers == [1, 2, 3]


def test_a_resumed_start_may_remove_its_own_lineages_checkpoints_but_not_those_of_an_earlier_one(jobs: Jobs) -> None:
    jobs.run(1)
    jobs.run(2, from_savepoint=str(jobs.path / "chk-1"))
    start = jobs.start(resume=True)
    assert start.owned == {2}
    start.directory.close()
