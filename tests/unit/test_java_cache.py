"""The cache directory."""

import stat
from pathlib import Path

import pytest

from wiesel.java.cache import cache_directory
from wiesel.java.errors import JavaError


def test_it_is_private_and_under_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = cache_directory("jars")
    assert directory == tmp_path / "cache" / "wiesel" / "jars"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (directory, directory.parent)} == {0o700}


@pytest.mark.parametrize("value", ["", "relative/cache"])
def test_without_an_absolute_path_it_is_in_the_home_directory(value, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_directory() == tmp_path / ".cache" / "wiesel"


def test_a_place_that_cannot_be_used_is_named_with_the_variable(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(JavaError, match=r"file/wiesel: .*XDG_CACHE_HOME"):
        cache_directory("jars")
