"""Secrets stay secret, files stay private, and a checkpoint of a stranger's runs no code."""

import hashlib
import json
import os
import secrets
import stat
from pathlib import Path

import pytest

from tests.integration.job_process import NO_RESTART, CountJob, Ended, Workplace, counted, produce
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

pytestmark = pytest.mark.integration


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def job(place: Workplace, kafka: LocalBroker, topic: TopicFactory) -> CountJob:
    return CountJob(place, kafka.bootstrap_servers, topic("input"), topic("output"))


# ------------------------------------------------------------------------------------------------- privacy


def test_job_directories_and_the_key_are_private_whatever_the_umask(job: CountJob) -> None:
    job.produce("a", "b", "a")
    assert job.run(umask=0).code == exit_codes.OK
    roots = [job.checkpoints, job.place.directory / "data-home"]  # where the key is
    entries = [path for root in roots for path in (root, *root.rglob("*"))]
    assert sum(path.is_file() for path in entries) >= 5
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in entries}
    assert {path: oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


def test_a_link_in_the_place_of_a_file_is_not_followed(job: CountJob) -> None:
    job.produce("a")
    elsewhere = job.place.directory / "elsewhere"
    elsewhere.write_text("mine")
    job.job_directory.mkdir(parents=True)
    (job.job_directory / "_lock").symlink_to(elsewhere)
    job.run().assert_failed(exit_codes.USAGE, str(job.job_directory))
    assert elsewhere.read_text() == "mine"


# ------------------------------------------------------------------------------------------------- secrets

LOGS_IN = """
import json, os
properties.update(json.loads(os.environ["PROPERTIES"]))
def per_record(line):
    if "fail" in line:
        raise RuntimeError(f"login failed with password={properties['of.the.script.password']} for {properties}")
    return line
"""
#: Every property that holds a secret and that a broker without passwords accepts.
UNUSED = [
    *("sasl.password", "sasl.oauthbearer.client.secret", "ssl.key.password", "ssl.keystore.password"),
    *("ssl.truststore.password", "of.the.script.password", "unknown.api.key", "basic.auth.user.info"),
    *("sasl.login.token", "ssl.keystore.key.passphrase"),
]


def canary() -> str:
    return f"canary{secrets.token_hex(12)}"


class Canaries:
    """Secrets that no other text holds."""

    def __init__(self, job: CountJob) -> None:
        self._job = job
        self._planted: list[str] = []
        job.write(LOGS_IN)

    @property
    def number(self) -> int:
        return len(self._planted)

    def plant(self) -> str:
        self._planted.append(canary())
        return self._planted[-1]

    def run(self, properties: dict[str, str], *options: object) -> Ended:
        environment = {"PROPERTIES": json.dumps(properties), "OF_THE_FILE": self.plant()}
        place = Workplace(self._job.place.directory, environment)
        return place.run(*self._job.arguments(*options))

    def assert_none_got_out(self, ended: Ended) -> None:
        assert len(self._planted) >= 2
        files: dict[object, bytes] = {
            path: path.read_bytes() for path in self._job.place.directory.rglob("*") if path.is_file()
        }
        seen = {"stdout": ended.out.encode(), "stderr": ended.err.encode(), **files}
        assert [(name, one) for name, content in seen.items() for one in self._planted if one.encode() in content] == []


@pytest.fixture
def canaries(job: CountJob) -> Canaries:
    return Canaries(job)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_gets_out_of_a_failing_job_that_logs_everything(
    job: CountJob, canaries: Canaries, log_format: str
) -> None:
    produce(job.servers, job.input, ["a", json.dumps({"fail": 1, "password": canaries.plant()})])
    properties = {**{key: canaries.plant() for key in UNUSED}, "debug": "all", "sasl.username": "me"}
    config = job.place.directory / "config.yaml"
    config.write_text("s3.secret-key: ${OF_THE_FILE}\n")
    ended = canaries.run(
        properties, *("--config", config, "--log-level", "DEBUG", "--log-format", log_format, "--verbose")
    )
    assert ended.code == exit_codes.FAILED, ended.err
    assert canaries.number == 12
    assert "login failed with password=******" in ended.err
    assert "wiesel.kafka.client" in ended.err or log_format == "text"
    canaries.assert_none_got_out(ended)


def test_no_secret_gets_out_of_a_login_that_fails(job: CountJob, canaries: Canaries) -> None:
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    ended = canaries.run(
        {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": f'{login} username="me" password="{canaries.plant()}";',
            "debug": "all",
        },
        *("--log-level", "DEBUG", "--verbose"),
    )
    assert ended.code == exit_codes.OUTSIDE_SYSTEM, ended.err
    canaries.assert_none_got_out(ended)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sasl.jaas.config", "com.example.MyLoginModule required token={}"),
        ("sasl.jaas.config", 'PlainLoginModule required username="me" pass="{}"'),
        ("ssl.key.pem", "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----"),
        ("sasl.login.callback.handler.class", "com.example.Handler?secret={}"),
    ],
    ids=["unknown login module", "misspelt login", "broken key", "callback handler"],
)
def test_no_secret_gets_out_of_a_property_that_is_refused(canaries: Canaries, key: str, value: str) -> None:
    ended = canaries.run({"security.protocol": "SASL_SSL", key: value.format(canaries.plant())}, "--verbose")
    assert ended.code in (exit_codes.USAGE, exit_codes.OUTSIDE_SYSTEM), ended.err
    canaries.assert_none_got_out(ended)


REGISTRY = """
import json, os
from wiesel.datastream.formats.registry import AvroSchema, ConfluentRegistryAvroDeserializationSchema

given = json.loads(os.environ["PROPERTIES"])
schema = ConfluentRegistryAvroDeserializationSchema.for_generic(
    AvroSchema.parse_string('"string"'), given.pop("url"), given
)
def per_record(line):
    return line
"""


@pytest.mark.parametrize("source", ["URL", "USER_INFO", "STATIC_TOKEN", "OAUTHBEARER"])
def test_no_secret_of_a_schema_registry_gets_out(job: CountJob, canaries: Canaries, source: str) -> None:
    job.write(REGISTRY)
    job.produce(b"\x00\x00\x00\x00\x01\x02a")
    way = "basic" if source in ("URL", "USER_INFO") else "bearer"
    properties = {
        "url": f"http://me:{canaries.plant()}@127.0.0.1:1",
        f"{way}.auth.credentials.source": source,
        "basic.auth.user.info": f"me:{canaries.plant()}",
        "bearer.auth.token": canaries.plant(),
        "bearer.auth.issuer.endpoint.url": "http://127.0.0.1:1/token",
        "bearer.auth.client.id": "me",
        "bearer.auth.client.secret": canaries.plant(),
    }
    ended = canaries.run(properties, "--log-level", "DEBUG", "--verbose")
    assert ended.code == exit_codes.OUTSIDE_SYSTEM, ended.err
    assert "The schema registry at http://127.0.0.1:1 does not answer" in ended.err
    canaries.assert_none_got_out(ended)


def test_no_secret_gets_out_of_a_configuration_with_a_misspelt_key(job: CountJob, canaries: Canaries) -> None:
    config = job.place.directory / "config.yaml"
    config.write_text("s3.secret-kay: ${OF_THE_FILE}\nsecurity.passwort: ${OF_THE_FILE}\n")
    ended = canaries.run({"sasl.passwort": canaries.plant()}, "--config", config)
    assert ended.code == exit_codes.OK, ended.err
    assert "security.passwort" in ended.err
    assert "sasl.passwort" in ended.err
    canaries.assert_none_got_out(ended)


# ------------------------------------------------------------------------------------- a stranger's checkpoint

EVIL = """
import os
from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor

class Evil:
    def __reduce__(self):
        return os.mkdir, ({mark!r},)

class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        self.kept = runtime_context.get_state(ValueStateDescriptor("kept", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx):
        self.kept.update(Evil())

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(60_000)
env.from_collection([1], Types.INT()).key_by(lambda n: n, key_type=Types.INT()).process(Keep()).print()
env.execute()
"""


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """Is there once the evil state's code has run."""
    return tmp_path / "evil code has run"


@pytest.fixture
def evil_checkpoint(tmp_path: Path, mark: Path) -> Path:
    """A checkpoint of another installation's, whose state runs code when it is unpickled."""
    directory = tmp_path / "stranger"
    directory.mkdir()
    stranger = Workplace(directory)
    stranger.script(EVIL.format(mark=str(mark)))
    ended = stranger.run(*NO_RESTART, "-p", 1, "-c", "execution.checkpointing.dir=checkpoints", "job.py")
    assert ended.code == exit_codes.OK, ended.err
    (checkpoint,) = (directory / "checkpoints").glob("job-1/chk-*")
    assert b"mkdir" in b"".join(path.read_bytes() for path in checkpoint.glob("*.state"))
    assert not mark.exists()
    return checkpoint


@pytest.fixture
def victim(tmp_path: Path, mark: Path) -> Workplace:
    directory = tmp_path / "victim"
    directory.mkdir()
    place = Workplace(directory)
    place.script(EVIL.format(mark=str(mark)))
    return place


def start_from(place: Workplace, checkpoint: Path, *options: object) -> Ended:
    return place.run(*NO_RESTART, "-p", 1, *options, "-s", checkpoint, "job.py")


def test_a_checkpoint_of_another_installation_runs_no_code_unless_it_is_trusted(
    victim: Workplace, evil_checkpoint: Path, mark: Path
) -> None:
    ended = start_from(victim, evil_checkpoint)
    ended.assert_failed(exit_codes.STATE, str(evil_checkpoint), "another installation", "--trust-pickle", "key-file")
    assert not mark.exists()
    start_from(victim, evil_checkpoint, "--trust-pickle")
    assert mark.exists(), "the test could not have failed"


def test_a_forged_seal_runs_no_code(victim: Workplace, evil_checkpoint: Path, mark: Path) -> None:
    """The stranger knows how files are made, and the name of the victim's key, but not the key."""
    own = evil_checkpoint.parent
    victim.run(*NO_RESTART, "-p", 1, "-c", "execution.checkpointing.dir=own", "job.py")
    metadata = next((victim.directory / "own").glob("job-1/chk-*/_metadata"))
    key_id = metadata.read_bytes().partition(b"key=")[2][:16]
    forged = own / "chk-1000"
    evil_checkpoint.rename(forged)
    header, _, body = (forged / "_metadata").read_bytes().partition(b"\n")
    before, _, after = header.partition(b"key=")
    digest = hashlib.sha256(key_id + b"\n" + body).hexdigest().encode()
    words = before.split(b" ")
    words[2] = b"sha256=" + digest
    (forged / "_metadata").write_bytes(b" ".join(words) + b"key=" + key_id + after[16:] + b"\n" + body)
    ended = start_from(victim, forged, "--trust-pickle")
    ended.assert_failed(exit_codes.STATE, str(forged), "damaged or forged")
    assert not mark.exists()


def test_two_installations_with_one_key_file_resume_each_others_jobs(job: CountJob, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    with_key = ("-c", f"wiesel.checkpoint.key-file={key}")
    job.produce("a", "b", "a")
    with job.publishing("a", "b", "a", options=with_key) as running:
        running.process.kill()
        running.end()
    job.place = Workplace(job.place.directory, {"XDG_DATA_HOME": str(tmp_path / "elsewhere")})
    job.produce("a")
    with job.publishing("a", "b", "a", "a", options=("--resume", *with_key)):
        assert job.published() == counted(["a", "b", "a", "a"])
