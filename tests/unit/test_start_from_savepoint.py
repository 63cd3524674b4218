"""Starts from savepoints: other parallelism, changed programs, and what is refused; state is found by uid."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.counting import (
    KEYS,
    Count,
    CountingJob,
    counted,
    finish,
    key_of,
    stop_at,
    taken,
    timers_of,
    values_of,
)
from tests.support.jobs import Build
from tests.support.segments import SegmentSink
from wiesel.cluster.driver import JobDriver
from wiesel.common import Types
from wiesel.core.errors import CheckpointCorruptError, CheckpointError, CheckpointForeignError, RestoreRefusedError
from wiesel.datastream import KeyedBroadcastProcessFunction, ProcessFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink
from wiesel.datastream.state import MapStateDescriptor

RULES: MapStateDescriptor[str, str] = MapStateDescriptor("rules", Types.STRING(), Types.STRING())


class Ruled(KeyedBroadcastProcessFunction):
    """Says for each number which rules are there."""

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        yield value, sorted(rule for rule, _ in ctx.get_broadcast_state(RULES).items())

    def process_broadcast_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        ctx.get_broadcast_state(RULES).put(value, value)
        yield value, []


# ------------------------------------------------------------------------------------------ other parallelism


@pytest.mark.parametrize("workers", [0, 2], ids=["inline", "workers"])
def test_keyed_state_timers_and_splits_follow_a_job_that_is_rescaled_from_1_to_4_to_2_to_3(
    tmp_path: Path, workers: int
) -> None:
    job = CountingJob(tmp_path)
    savepoint: Path | None = None
    for parallelism, upto in ((1, 30), (4, 60), (2, 90), (3, 120)):
        job.parallelism = parallelism
        options: dict[str, Any] = {"workers": workers and min(workers, parallelism)}
        if savepoint is not None:
            options["from_savepoint"] = str(savepoint)
        if upto == 120:
            finish(job, **options)
        else:
            savepoint = stop_at(job, upto, tmp_path / "savepoints", **options)
        shutil.rmtree(tmp_path / "checkpoints")
        assert values_of(job) == counted(range(upto))
    assert timers_of(job) == [(key, 20) for key in range(KEYS)]


def test_broadcast_state_reaches_every_subtask_at_any_parallelism(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)

    def program(rules: list[str]) -> Any:
        def build(env: StreamExecutionEnvironment) -> Any:
            stream = env.from_collection(rules, Types.STRING()).uid("rules").broadcast(RULES)
            ruled = job.numbers(env).key_by(key_of, Types.LONG()).connect(stream).process(Ruled()).uid("ruled")
            return ruled.sink_to(Sink(job.sink)).uid("sink")

        return build

    savepoints: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.publish(30)
        job.wait_until(lambda: {"a", "b"} <= {item for item, _ in list(job.sink.published)})
        savepoints.append(taken(driver, driver.trigger_savepoint(tmp_path, stop=True)))

    job.built(program(["a", "b"])).run_and(act)
    for parallelism in (4, 2, 3):
        job.parallelism = parallelism
        job.sink.published.clear()
        finish(job.built(program(["c"])), from_savepoint=str(savepoints[0]), fresh=False)
        shutil.rmtree(tmp_path / "checkpoints")
        seen = [(item, rules) for item, rules in job.sink.published if item != "c"]
        rules = {tuple(rules) for _, rules in seen}
        assert rules <= {("a", "b"), ("a", "b", "c")}, "nobody has less than the savepoint held"
        assert sorted(value for value, _ in seen) == list(range(30, 120))


def test_the_default_maximum_parallelism_grows_with_the_parallelism_and_gives_way_to_that_of_the_savepoint(
    tmp_path: Path,
) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    job.parallelism = 90  # whose own default would be 256
    finish(job, from_savepoint=str(savepoint))
    assert values_of(job) == counted(range(120))


def with_maximum(parallelism: int, build: Build) -> Build:
    return lambda env: build(env.set_max_parallelism(parallelism))


def test_more_parallelism_than_the_maximum_of_the_savepoint_is_refused_with_the_most_there_can_be(
    tmp_path: Path,
) -> None:
    job = CountingJob(tmp_path)
    program = job.build
    savepoint = stop_at(job.built(with_maximum(4, program)), 60, tmp_path)
    job.built(program).parallelism = 5
    refused = r"'count' \(uid count\).*maximum parallelism 4 and now has parallelism 5.*Set parallelism 4 or less"
    with pytest.raises(RestoreRefusedError, match=refused):
        job.run(from_savepoint=str(savepoint))


def test_another_maximum_parallelism_that_the_program_sets_is_refused_with_the_saved_one(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    job.build = with_maximum(64, job.build)
    with pytest.raises(RestoreRefusedError, match=r"'count' \(uid count\).*Set max parallelism 128"):
        job.run(from_savepoint=str(savepoint))


# ------------------------------------------------------------------------------------------- changed programs


class Pass(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        yield value


def test_operators_that_are_added_renamed_reordered_or_chained_otherwise_find_their_state_by_uid(
    tmp_path: Path,
) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)

    def changed(env: StreamExecutionEnvironment) -> Any:
        env.from_collection([1]).map(lambda value: value).print()  # comes first now, and moves generated ids
        numbers = job.numbers(env).process(Pass()).name("new").disable_chaining()
        result = numbers.key_by(key_of, Types.LONG()).process(Count()).name("renamed").uid("count").start_new_chain()
        return result.map(lambda pair: pair).sink_to(Sink(job.sink)).uid("sink")

    finish(job.built(changed), from_savepoint=str(savepoint))
    assert values_of(job) == counted(range(120))
    assert timers_of(job) == [(key, 20) for key in range(KEYS)]


def without_count(job: CountingJob) -> Any:
    def build(env: StreamExecutionEnvironment) -> Any:
        return job.numbers(env).map(lambda value: (value, None)).name("count").sink_to(Sink(job.sink)).uid("sink")

    return build


def test_state_of_an_operator_that_is_gone_is_refused_with_its_uid_and_dropped_when_the_user_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    job.built(without_count(job)).sink.published.clear()
    with pytest.raises(RestoreRefusedError) as refused:
        job.run(from_savepoint=str(savepoint))
    assert str(savepoint) in str(refused.value)
    assert "'count' (uid count)" in str(refused.value)
    assert "its 'count' has uid " in str(refused.value), "the operator that is called so now is named"
    assert "--allow-non-restored-state" in str(refused.value)
    finish(job, from_savepoint=str(savepoint), allow_non_restored_state=True)
    assert sorted(job.sink.published) == [(value, None) for value in range(60, 120)]
    assert "State of operator 'count' (uid count) is dropped" in caplog.text


def test_a_start_that_is_refused_does_not_become_what_resume_goes_on_from(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    program = job.build
    with pytest.raises(RestoreRefusedError):
        job.built(without_count(job)).run(from_savepoint=str(savepoint))
    finish(job.built(program), resume=True)
    assert values_of(job) == counted(range(120))


# ------------------------------------------------------------------------------------------------- foreign ones


@pytest.mark.parametrize("allow", [False, True])
def test_a_savepoint_of_another_job_is_refused_even_if_state_may_be_dropped(tmp_path: Path, allow: bool) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    job.build = lambda env: env.from_collection([1]).sink_to(Sink(job.sink))
    with pytest.raises(RestoreRefusedError, match=r"of job 'job'.*another job's.*--fresh") as refused:
        job.run(from_savepoint=str(savepoint), allow_non_restored_state=allow)
    assert "(uid numbers)" in str(refused.value)


def test_a_savepoint_of_a_newer_version_is_refused_by_its_number(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    metadata = savepoint / "_metadata"
    metadata.write_bytes(metadata.read_bytes().replace(b"wiesel-checkpoint 1 ", b"wiesel-checkpoint 9 ", 1))
    with pytest.raises(CheckpointForeignError, match=r"format version 9, and this Wiesel reads 1\. Start the job with"):
        job.run(from_savepoint=str(savepoint))


def test_a_savepoint_from_another_machine_is_loaded_only_when_the_user_trusts_it(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    (tmp_path / "key").write_bytes(b"x" * 32)
    shutil.rmtree(tmp_path / "checkpoints")
    with pytest.raises(CheckpointForeignError, match="--trust-pickle"):
        job.run(from_savepoint=str(savepoint))
    finish(job, from_savepoint=str(savepoint), trust_pickle=True)
    assert values_of(job) == counted(range(120))


def test_the_same_key_on_another_machine_needs_no_trust(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(tmp_path / "key", elsewhere / "key")
    moved = CountingJob(elsewhere)
    finish(moved, from_savepoint=str(shutil.move(savepoint, elsewhere / "savepoint")))
    assert values_of(moved) == counted(range(60, 120))


def test_a_sealed_manifest_cannot_name_files_outside_of_its_directory(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    savepoint = stop_at(job, 60, tmp_path)
    from wiesel.runtime.checkpoint import manifest as m

    key = m.SealKey(b"k" * 32)
    metadata = savepoint / "_metadata"
    _, _, body = metadata.read_bytes().partition(b"\n")
    data = json.loads(body)
    data["files"] = [{"name": "../../evil", "size": 0, "sha256": ""}]
    metadata.write_bytes(m.encode(m._from_json(data), key))
    with pytest.raises(CheckpointCorruptError, match=r"outside of its directory, '\.\./\.\./evil'"):
        job.run(from_savepoint=str(savepoint))


# ------------------------------------------------------------------------------------------------------ damage


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def link(file: Path) -> None:
    file.symlink_to(file.rename(file.with_suffix(".elsewhere")))


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink, link])
@pytest.mark.parametrize("pattern", ["_metadata", "*-0.state", "wal/*.wal"])
def test_a_start_from_a_damaged_savepoint_names_the_file_publishes_nothing_and_leaves_the_job_as_it_was(
    tmp_path: Path, pattern: str, damage: Callable[[Path], Any]
) -> None:
    job = CountingJob(tmp_path)
    del job.settings["execution.checkpointing.interval"]
    job.sink = sink = SegmentSink()
    sink.outside.clear()
    paths: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.source.allow(60)
        job.wait_until(lambda: sink.writes >= 60)
        paths.append(taken(driver, driver.trigger_savepoint(tmp_path)))
        sink.outside.set()
        driver.cancel()

    job.run_and(act)
    (file,) = paths[0].glob(pattern)
    damage(file)
    sink.published.clear()
    before = (job.path / "_store").read_bytes()
    with pytest.raises(CheckpointError) as refused:
        job.run(from_savepoint=str(paths[0]))
    named = paths[0] if (pattern, damage) == ("_metadata", Path.unlink) else file
    assert str(named) in str(refused.value)
    assert sink.published == []
    assert (job.path / "_store").read_bytes() == before
