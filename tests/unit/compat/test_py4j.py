"""Scripts that catch PyFlink's ``Py4JJavaError`` catch a failed job here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

import wiesel
from wiesel.compat import alias
from wiesel.datastream import StreamExecutionEnvironment


@pytest.fixture
def active() -> Iterator[None]:
    was_active = alias.is_active()
    wiesel.activate()
    yield
    alias.deactivate()
    if was_active:
        alias.activate()


def fail(value: Any) -> Any:
    raise ValueError(f"cannot use {value}")


def test_a_failed_job_is_caught_as_a_py4j_java_error(active: None) -> None:
    from py4j.protocol import Py4JJavaError

    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([1]).map(fail).print()
    with pytest.raises(Py4JJavaError, match="cannot use 1"):
        env.execute()


def test_its_java_exception_tells_message_and_cause(active: None) -> None:
    from py4j.protocol import Py4JJavaError

    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([1]).map(fail).print()
    with pytest.raises(Py4JJavaError) as caught:
        env.execute()
    java = caught.value.java_exception
    assert "cannot use 1" in java.getMessage()
    assert java.toString() == str(java) == f"JobExecutionError: {java.getMessage()}"
    assert java.getCause().toString() == "ValueError: cannot use 1"
    assert java.getCause().getCause() is None


def test_the_wider_class_catches_it_too(active: None) -> None:
    from py4j.protocol import Py4JError, Py4JJavaError

    assert issubclass(Py4JJavaError, Py4JError)


def test_what_talks_to_a_jvm_says_that_there_is_none(active: None) -> None:
    import py4j.protocol

    with pytest.raises(AttributeError, match="no JVM behind Wiesel"):
        _ = py4j.protocol.smart_decode
    with pytest.raises(ImportError, match="none behind Wiesel"):
        import py4j.java_gateway


def test_deactivation_takes_the_classes_away_again(active: None) -> None:
    import py4j.protocol  # noqa: F401

    alias.deactivate()
    assert "py4j.protocol" not in sys.modules
    wiesel.activate()
