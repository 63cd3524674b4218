"""The lock file of jars."""

from pathlib import Path

import pytest

from wiesel.broker.distribution import KAFKA_VERSION, lock_file
from wiesel.java.errors import JarError
from wiesel.java.lockfile import LockedJar, format_lock, read_lock

DIGEST = "0123456789abcdef" * 8


def lock(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.lock"
    path.write_text(text)
    return path


def test_what_is_written_is_read_back_in_sorted_order(tmp_path):
    jars = [LockedJar("b:lib:1.0", DIGEST), LockedJar("a:lib:1.0:linux", DIGEST)]
    text = format_lock(jars, "two jars\n\nof a test")
    assert read_lock(lock(tmp_path, text)) == sorted(jars)
    assert text.startswith("# two jars\n#\n# of a test\n")


def test_artifacts_of_the_same_name_in_two_groups_have_different_files():
    assert LockedJar("a:lib:1.0", DIGEST).file_name != LockedJar("b:lib:1.0", DIGEST).file_name


@pytest.mark.parametrize("coordinate", ["../../etc:passwd:1", "a:b/../../c:1", "a:b", "a:b:1:c:d", "a::1", ".:b:1"])
def test_a_coordinate_that_could_lead_out_of_the_cache_is_refused(tmp_path, coordinate):
    with pytest.raises(JarError, match="not a coordinate"):
        read_lock(lock(tmp_path, f"{coordinate} sha512:{DIGEST}\n"))


@pytest.mark.parametrize("digest", ["", "sha512:", "sha512:abc", f"sha256:{DIGEST}", f"sha512:{DIGEST}0"])
def test_a_jar_without_a_sha512_is_refused_with_its_line(tmp_path, digest):
    with pytest.raises(JarError, match=r"some\.lock:2: a:b:1 has no SHA-512"):
        read_lock(lock(tmp_path, f"# heading\na:b:1 {digest}\n"))


def test_an_empty_lock_is_refused(tmp_path):
    with pytest.raises(JarError, match="lists no jar"):
        read_lock(lock(tmp_path, "# nothing\n"))


def test_the_committed_lock_pins_the_broker_its_server_and_one_logger():
    names = {jar.coordinate for jar in read_lock(lock_file(KAFKA_VERSION))}
    assert {"org.apache.kafka:kafka_2.13:4.3.1", "org.apache.kafka:kafka-server:4.3.1"} <= names
    assert len([name for name in names if name.startswith("org.slf4j:slf4j-simple:")]) == 1
