"""Bad input and surroundings: one clear message with the fix, the documented exit code, nothing lost or repeated."""

import re
import socket
from pathlib import Path

import pytest

from tests.integration.job_process import NO_RESTART, CountJob, Workplace, counted
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

pytestmark = pytest.mark.integration

GOOD = ["a", "b", "a", "c", "a", "b"]


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def job(place: Workplace, kafka: LocalBroker, topic: TopicFactory) -> CountJob:
    return CountJob(place, kafka.bootstrap_servers, topic("input"), topic("output"))


# ---------------------------------------------------------------------------------------------- the surroundings


def test_addresses_without_a_kafka_behind_them_are_named_with_the_fix(tmp_path: Path) -> None:
    with socket.socket() as nobody_listens, socket.create_server(("127.0.0.1", 0)) as listens_and_is_no_broker:
        nobody_listens.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in (nobody_listens, listens_and_is_no_broker)]
        jobs = []
        for number, address in enumerate(addresses):
            directory = tmp_path / str(number)
            directory.mkdir()
            jobs.append(CountJob(Workplace(directory), address, "input", "output"))
        with jobs[0].start() as first, jobs[1].start() as second:  # side by side, because both wait for an answer
            ends = [first.end(), second.end()]
    for job, address, ended in zip(jobs, addresses, ends, strict=True):
        ended.assert_failed(
            exit_codes.OUTSIDE_SYSTEM, "No Kafka broker answers", address, "wiesel kafka up", "correct the address"
        )
        assert not job.checkpoints.exists()


def test_a_missing_input_topic_is_named_and_a_run_after_its_creation_is_right(
    job: CountJob, topic: TopicFactory
) -> None:
    missing, job.input = "no-such-input", "no-such-input"
    job.run().assert_failed(
        exit_codes.OUTSIDE_SYSTEM,
        f"'{missing}' does not exist on {job.servers}",
        f"wiesel kafka topics create {missing} --bootstrap-server {job.servers}",
    )
    job.input = topic("input")
    job.produce(*GOOD)
    assert job.run("--resume").code == exit_codes.OK
    assert job.published() == counted(GOOD)


@pytest.mark.parametrize("guarantee", ["EXACTLY_ONCE", "AT_LEAST_ONCE", "NONE"])
def test_a_missing_output_topic_is_named_before_anything_is_read(job: CountJob, guarantee: str) -> None:
    job.output = "no-such-output"
    ended = job.run(script=("--guarantee", guarantee))
    ended.assert_failed(exit_codes.OUTSIDE_SYSTEM, "'no-such-output' does not exist", "wiesel kafka topics create")


def with_properties(*properties: str) -> tuple[str, ...]:
    return tuple(text for one in properties for text in ("--property", one))


def test_a_login_that_the_broker_does_not_take_is_named_with_what_to_check(job: CountJob) -> None:
    login = ("security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", "sasl.username=me", "sasl.password=wrong")
    ended = job.run(script=with_properties(*login))
    ended.assert_failed(exit_codes.OUTSIDE_SYSTEM, "refused the login", job.servers, "credentials")
    assert "wrong" not in ended.err


# ---------------------------------------------------------------------------------------------------- records

JSON = """
line_and_year = Types.ROW_NAMED(["line", "year"], [Types.STRING(), Types.INT()])
schema = JsonRowDeserializationSchema.builder().type_info(line_and_year){option}.build()
def per_record(row):
    return row.line
"""


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"no json", "JSON is malformed"),
        (b'{"line": "\xff\xfe"}', "JSON"),
        (b'{"line": "a", "year": "new"}', "year"),
        (None, "null"),
    ],
    ids=["no JSON", "bad UTF-8", "wrong type", "null"],
)
def test_an_undecodable_record_is_named_by_topic_partition_and_offset(
    job: CountJob, bad: bytes | None, complaint: str
) -> None:
    good = [f'{{"line": "{line}"}}' for line in GOOD]
    job.write(JSON.format(option=""))
    job.produce(*good, bad)
    ended = job.run()
    where = f"{job.input}-0 offset {len(good)}"
    ended.assert_failed(exit_codes.FAILED, where, complaint, "ignore_parse_errors()")
    assert job.published() == []


def test_after_an_undecodable_record_a_schema_that_skips_it_goes_on_exactly(job: CountJob) -> None:
    good = [f'{{"line": "{line}"}}' for line in GOOD]
    job.write(JSON.format(option=""))
    job.produce(*good)
    with job.publishing(*GOOD) as running:
        job.produce("no json", *good)
        running.end().assert_failed(exit_codes.FAILED, f"{job.input}-0 offset {len(good)}", "JSON")
    job.write(JSON.format(option=".ignore_parse_errors()"))
    job.resume_and_publish(*GOOD, *GOOD)


def test_a_record_larger_than_the_topic_takes_is_refused_before_it_is_decided(job: CountJob) -> None:
    job.write("def per_record(line): return line * (2_000_000 if line == 'big' else 1)")
    job.produce(*GOOD)
    with job.publishing(*GOOD) as running:
        job.produce("big", *GOOD)
        running.end().assert_failed(exit_codes.FAILED, f"'{job.output}'", "max.request.size", "max.message.bytes")
    job.write("def per_record(line): return line")
    job.resume_and_publish(*GOOD, "big", *GOOD)


@pytest.mark.parametrize("guarantee", ["AT_LEAST_ONCE", "NONE"])
def test_a_record_larger_than_the_client_takes_is_refused_with_every_guarantee(job: CountJob, guarantee: str) -> None:
    job.write("def per_record(line): return line * 2_000_000")
    job.produce("big")
    ended = job.run(script=("--guarantee", guarantee))
    ended.assert_failed(exit_codes.FAILED, f"'{job.output}'", "max.request.size", "max.message.bytes")


# ------------------------------------------------------------------------------------------------- user code

CHECKS = """
class Refused(Exception):
    pass

def check(line):
    if line == "bad":
        raise Refused("no bad lines, please")
    return line

def per_record(line):
    return check(line)
"""


def test_a_function_that_raises_shows_its_own_frames_then_operator_record_and_place(job: CountJob) -> None:
    job.write(CHECKS)
    job.produce(*GOOD)
    with job.publishing(*GOOD) as running:
        job.produce("bad", *GOOD)
        ended = running.end()
    where = ("operator 'check', subtask ", f"record 'bad', {job.input}-0 offset {len(GOOD)}")
    ended.assert_failed(exit_codes.FAILED, "Refused: no bad lines, please", *where)
    lines = ended.err.splitlines()
    frames = [line.rpartition(" in ")[2] for line in lines if line.startswith("  File")]
    assert frames == ["per_record", "check"]
    assert lines[-2:-1] == ["Refused: no bad lines, please"]
    job.write()
    job.resume_and_publish(*GOOD, "bad", *GOOD)


def test_the_original_exception_is_the_cause_of_what_execute_raises(place: Workplace) -> None:
    place.script(
        """
        from pyflink.datastream import StreamExecutionEnvironment
        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection([1, 0]).map(lambda number: 1 // number).print()
        try:
            env.execute()
        except Exception as error:
            print(type(error).__name__, "from", type(error.__cause__).__name__)
        """
    )
    ended = place.run("-p", 1, "job.py")
    assert (ended.code, ended.out.splitlines()) == (exit_codes.OK, ["1", "JobExecutionError from ZeroDivisionError"])


def test_an_unpicklable_capture_fails_where_its_operator_is_added_and_names_the_variable(place: Workplace) -> None:
    place.script(
        """
        import threading
        from pyflink.datastream import StreamExecutionEnvironment
        guard = threading.Lock()
        def guarded(number):
            with guard:
                return number
        env = StreamExecutionEnvironment.get_execution_environment()
        numbers = env.from_collection([1, 2])
        numbers.map(guarded)
        print("not reached")
        """
    )
    ended = place.run("job.py")
    ended.assert_failed(exit_codes.USAGE, "'guard'", "'guarded'", "open()")
    assert "numbers.map(guarded)" in ended.err
    assert ended.out == ""


def test_a_close_that_fails_fails_the_job(place: Workplace) -> None:
    place.script(
        """
        from pyflink.datastream import MapFunction, StreamExecutionEnvironment
        class Flushes(MapFunction):
            def map(self, value):
                return value
            def close(self):
                raise ConnectionError("the last rows could not be written")
        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection([1]).map(Flushes()).name("flushes").print()
        env.execute()
        """
    )
    ended = place.run("-p", 1, "job.py")
    ended.assert_failed(exit_codes.FAILED, "ConnectionError: the last rows could not be written", "flushes")
    assert "in close" in ended.err


def test_a_class_in_the_place_of_its_instance_is_named(place: Workplace) -> None:
    place.script(
        """
        from pyflink.datastream import MapFunction, StreamExecutionEnvironment
        class Doubles(MapFunction):
            def map(self, value):
                return 2 * value
        env = StreamExecutionEnvironment.get_execution_environment()
        env.from_collection([1]).map(Doubles).print()
        env.execute()
        """
    )
    place.run("job.py").assert_failed(exit_codes.USAGE, "Doubles is a class", "Doubles()")


def test_a_script_that_is_no_python_is_shown_with_its_line(place: Workplace) -> None:
    place.script("import pyflink\nenv = (1,\n")
    ended = place.run("job.py")
    ended.assert_failed(exit_codes.FAILED, "SyntaxError: '(' was never closed")
    assert 'job.py", line 2' in ended.err


def test_an_option_of_a_sink_is_checked_before_the_job_starts(job: CountJob) -> None:
    job.run(script=with_properties("sasl.jaas.config=nonsense")).assert_failed(exit_codes.USAGE, "sasl.jaas.config")


# ----------------------------------------------------------------------------------------------- exactly-once

TWO_SINKS = """
from pyflink.common import SimpleStringSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors import DeliveryGuarantee, NumberSequenceSource
from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_collection(["1", "2"])
for prefix in {prefixes}:
    builder = KafkaSink.builder().set_bootstrap_servers("127.0.0.1:1").set_record_serializer(
        KafkaRecordSerializationSchema.builder().set_topic("t")
        .set_value_serialization_schema(SimpleStringSchema()).build()
    ).set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    if prefix:
        builder.set_transactional_id_prefix(prefix)
    numbers.sink_to(builder.build())
env.execute()
"""


@pytest.mark.parametrize(
    ("prefixes", "complaint"),
    [([None], "needs set_transactional_id_prefix"), (["same", "same"], "2 sinks of this job use")],
    ids=["no prefix", "one prefix twice"],
)
def test_exactly_once_needs_a_prefix_for_each_sink(
    place: Workplace, prefixes: list[str | None], complaint: str
) -> None:
    place.script(TWO_SINKS.format(prefixes=prefixes))
    ended = place.run(*NO_RESTART, "job.py")
    ended.assert_failed(exit_codes.USAGE, complaint)


def test_exactly_once_from_an_unbounded_source_needs_checkpoints(job: CountJob) -> None:
    ended = job.run("-c", "execution.checkpointing.interval=0", script=("--unbounded",))
    ended.assert_failed(exit_codes.USAGE, "EXACTLY_ONCE", "unbounded", "env.enable_checkpointing(1000)")


# ------------------------------------------------------------------------------------------ what the docs say


def test_the_messages_of_the_troubleshooting_page_are_still_said() -> None:
    root = Path(__file__).parents[2]
    tables = [line for line in (root / "docs" / "troubleshooting.md").read_text().splitlines() if line.startswith("|")]
    quoted = [phrase for line in tables for phrase in re.findall(r"\*([^*]+)\*", line.replace("**", ""))]
    assert len(quoted) > 20
    # Messages are put together from adjacent literals, so what stands between them goes.
    source = "\n".join(path.read_text() for path in (root / "src").rglob("*.py"))
    said = re.sub(r'"\s+f?"', "", source)
    assert [phrase for phrase in quoted if phrase not in said] == []
