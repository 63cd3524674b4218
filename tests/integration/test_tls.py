"""TLS to Kafka: certificates and host names are checked unless the user switches it off, which is told every time."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.job_process import CountJob, Ended, Workplace
from tests.support.certificates import Authority
from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker
from wiesel.core import exit_codes

pytestmark = pytest.mark.integration

#: What is wrong with the certificate of each listener.
LISTENERS = {"GOOD": "127.0.0.1", "OTHERHOST": "192.0.2.1", "EXPIRED": "127.0.0.1"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, and for each listener a PEM file with key and certificate."""
    directory = tmp_path_factory.mktemp("certificates")
    authority = Authority(directory)
    for name, address in LISTENERS.items():
        authority.issue(name, address, timedelta(days=-1 if name == "EXPIRED" else 2))
    return directory


@pytest.fixture(scope="module")
def broker(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker that also listens with three certificates."""
    protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **dict.fromkeys(LISTENERS, "SSL")}
    keystores = {
        f"listener.name.{name.lower()}.ssl.keystore.{key}": value
        for name in LISTENERS
        for key, value in {"type": "PEM", "location": str(certificates / f"{name}.pem")}.items()
    }
    with LocalBroker.start(
        tmp_path_factory.mktemp("tls"),
        properties={
            "listeners": ",".join(f"{name}://127.0.0.1:0" for name in ("PLAINTEXT", *LISTENERS)),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            **keystores,
        },
    ) as broker:
        admin = Admin(broker.bootstrap_servers)
        for topic in ("input", "output"):
            admin.create_topic(topic, 1)
        yield broker


def run(broker: LocalBroker, listener: str, directory: Path, **properties: str) -> Ended:
    job = CountJob(Workplace(directory), broker.listeners[listener], "input", "output")
    given = {"security.protocol": "SSL", **{key.replace("_", "."): value for key, value in properties.items()}}
    options = [text for key, value in given.items() for text in ("--property", f"{key}={value}")]
    return job.run(script=(*options, "--guarantee", "AT_LEAST_ONCE"))


def test_with_the_right_authority_the_job_runs_without_a_warning(
    broker: LocalBroker, certificates: Path, tmp_path: Path
) -> None:
    ended = run(broker, "GOOD", tmp_path, ssl_ca_location=str(certificates / "ca.pem"))
    assert (ended.code, ended.err) == (exit_codes.OK, "")


def test_an_unknown_authority_is_refused_by_default(broker: LocalBroker, tmp_path: Path) -> None:
    ended = run(broker, "GOOD", tmp_path)
    ended.assert_failed(exit_codes.OUTSIDE_SYSTEM, "TLS with the Kafka broker failed", "ssl.ca.location")


@pytest.mark.parametrize("listener", ["OTHERHOST", "EXPIRED"])
def test_another_host_name_and_an_expired_certificate_are_refused(
    broker: LocalBroker, certificates: Path, tmp_path: Path, listener: str
) -> None:
    ended = run(broker, listener, tmp_path, ssl_ca_location=str(certificates / "ca.pem"))
    ended.assert_failed(exit_codes.OUTSIDE_SYSTEM, "TLS with the Kafka broker failed", "certificate")


def test_switching_the_checks_off_works_and_is_told_at_every_start(broker: LocalBroker, tmp_path: Path) -> None:
    for _ in range(2):
        ended = run(broker, "EXPIRED", tmp_path, enable_ssl_certificate_verification="false")
        assert ended.code == exit_codes.OK, ended.err
        assert "TLS to Kafka is NOT verified" in ended.err
