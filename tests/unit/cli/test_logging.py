"""Log lines on stderr: whose they are, their two forms, and no secrets in either."""

import json
import logging
from collections.abc import Iterator

import pytest

from wiesel.cli.logging import set_up_logging


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    loggers = [logging.getLogger(), logging.getLogger("wiesel")]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
    logging.captureWarnings(False)


def test_text_lines_go_to_stderr_from_the_asked_level_up(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("text", "INFO")
    logging.getLogger("wiesel.runtime").info("restored %s", "chk-7")
    logging.getLogger("wiesel.runtime").debug("detail")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("INFO restored chk-7\n")
    assert err.count("\n") == 1


def test_as_text_the_scripts_own_logging_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    set_up_logging("text", "INFO")
    assert logging.getLogger().handlers == before


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_reaches_a_line(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    set_up_logging(log_format, "DEBUG")
    logger = logging.getLogger("wiesel.connectors.kafka")
    properties = {"sasl.password": "canary-1", "bootstrap.servers": "b:9092"}
    logger.debug("client properties %s", properties, extra={"properties": properties, "token": "canary-2"})
    try:
        raise ValueError("login with sasl.jaas.config=PlainLoginModule required password='canary-3';")
    except ValueError:
        logger.exception("could not connect, ssl.key.password=canary-4")
    err = capsys.readouterr().err
    # The source line of the raise is the script's own text and no value that was passed in.
    shown = "\n".join(line for line in err.replace("\\n", "\n").splitlines() if "raise ValueError" not in line)
    assert [canary for canary in range(1, 5) if f"canary-{canary}" in shown] == []
    assert "b:9092" in err


def test_a_json_line_tells_time_level_logger_job_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("json", "INFO")
    logging.getLogger("wiesel.runtime").warning("late", extra={"job": "flights", "records": 3})
    entry = json.loads(capsys.readouterr().err)
    assert entry.pop("ts").endswith("+00:00")
    assert entry == {
        "level": "WARNING", "logger": "wiesel.runtime", "message": "late", "job": "flights", "fields": {"records": 3},
    }  # fmt: skip
