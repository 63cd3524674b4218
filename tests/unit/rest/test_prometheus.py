"""/metrics as Prometheus reads it, by the parser of its own client."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.rest.views import figures, reading, view
from wiesel.rest.job_view import JobView, Rates, SubtaskView
from wiesel.rest.prometheus import exposition
from wiesel.runtime.reports import TaskId

TASK = TaskId(3, 0)


def scraped(shown: JobView) -> dict[str, tuple[str, list[tuple[dict[str, str], float]]]]:
    """What a scrape finds: sample name → (type, samples)."""
    content, content_type = exposition(shown)
    assert content_type.startswith("text/plain")
    found: dict[str, tuple[str, list[tuple[dict[str, str], float]]]] = {}
    for family in text_string_to_metric_families(content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, (family.type, []))[1].append((sample.labels, sample.value))
    return found


def with_user(*user: object, **changes: object) -> JobView:
    shown = SubtaskView("RUNNING", figures(TASK, *user, **changes), Rates())  # type: ignore[arg-type]
    return view(subtasks={**view().subtasks, TASK: shown})


def test_names_and_labels_are_those_of_flinks_reporter() -> None:
    found = scraped(view())
    kind, samples = found["flink_taskmanager_job_task_numRecordsIn_total"]
    assert kind == "counter"
    assert len(samples) == 4
    labels, value = samples[-1]
    assert value == 100
    assert labels.items() >= {"job_id": "job-1", "job_name": "my job", "subtask_index": "0"}.items()
    assert labels["task_name"].startswith("Count")
    assert found["flink_taskmanager_job_task_busyTimeMsPerSecond"][0] == "gauge"
    assert found["flink_taskmanager_job_task_numBytesOut_total"][1][-1][1] == 3_000
    assert found["flink_jobmanager_job_numberOfCompletedCheckpoints_total"] == (
        "counter",
        [({"job_id": "job-1", "job_name": "my job"}, 1.0)],
    )


def test_what_functions_count_comes_with_its_kind() -> None:
    found = scraped(
        with_user(
            reading("hits"),
            reading("size", kind="Gauge"),
            reading("orders", kind="Meter", count=30.0, rate=0.5),
            reading("bytes", kind="Distribution", count=2.0, sum=9.0, min=1.0, max=8.0, mean=4.5),
        )
    )
    prefix = "flink_taskmanager_job_task_operator"
    assert found[f"{prefix}_hits_total"][0] == "counter"
    assert found[f"{prefix}_size"][0] == "gauge"
    assert found[f"{prefix}_orders"] == ("gauge", found[f"{prefix}_orders"][1])
    assert found[f"{prefix}_orders"][1][0][1] == 0.5
    assert found[f"{prefix}_orders_count_total"][1][0][1] == 30
    assert found[f"{prefix}_bytes_mean"][1][0][1] == 4.5
    assert found[f"{prefix}_hits_total"][1][0][0]["operator_name"] == "Double"


def test_a_group_of_name_and_value_is_a_label() -> None:
    found = scraped(
        with_user(
            reading("country", "DE", "hits", labels={"country": "DE"}, value=2.0),
            reading("country", "FR", "hits", labels={"country": "FR"}, value=3.0),
        )
    )
    _, samples = found["flink_taskmanager_job_task_operator_country_hits_total"]
    assert {labels["country"]: value for labels, value in samples} == {"DE": 2, "FR": 3}


def test_kafka_partitions_are_labels_and_lag_has_its_name() -> None:
    partition = "KafkaSourceReader.topic.my.topic.partition.3.currentOffset"
    found = scraped(with_user(reader={"records-lag-max": 6.0, "pendingRecords": 9.0, partition: 41.0}))
    assert found["flink_taskmanager_job_task_records_lag_max"][1][0][1] == 6
    _, samples = found["flink_taskmanager_job_task_KafkaSourceReader_topic_partition_currentOffset"]
    assert samples[0][0].items() >= {"topic": "my.topic", "partition": "3"}.items()


def test_hostile_names_cannot_break_out_of_a_label() -> None:
    found = scraped(view(name='x"} 1\nevil 666\n#'))
    assert not [name for name in found if not name.startswith("flink_")]
    assert found["flink_jobmanager_job_numRestarts_total"][1][0][0]["job_name"] == 'x"} 1\nevil 666\n#'
