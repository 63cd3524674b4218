"""Wiesel's own log lines on stderr: text for people, or one JSON object a line; secrets hidden in both.

As text only Wiesel's loggers are handled, and a script's own ``logging.basicConfig()`` works as ever. As JSON the root
logger is taken too, because a reader of JSON lines wants nothing else on stderr.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from wiesel.core.redaction import redact, redact_mapping

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _CurrentStderr(logging.StreamHandler[TextIO]):
    """Writes to whatever ``sys.stderr`` is now, because the live line replaces it while a job runs."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class TextFormatter(logging.Formatter):
    """``12:34:56 WARNING message``, exceptions below, secrets hidden."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        exception = str(getattr(record, "exception", "")).rstrip()
        return redact("\n".join(filter(None, (super().format(record), exception))))


class JsonFormatter(logging.Formatter):
    """``ts``, ``level``, ``logger``, ``message``; ``job`` and ``fields`` from ``extra``; ``exception`` as text."""

    def format(self, record: logging.LogRecord) -> str:
        """The line to write."""
        import json

        extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        entry: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if "job" in extra:
            entry["job"] = extra.pop("job")
        if record.exc_info:
            entry["exception"] = redact(self.formatException(record.exc_info))
        elif "exception" in extra:
            entry["exception"] = redact(str(extra.pop("exception")))
        if extra:
            entry["fields"] = redact_mapping(extra)
        return json.dumps(entry, ensure_ascii=False, default=lambda value: redact(str(value)))


def set_up_logging(log_format: str, level: str) -> None:
    """Send log lines of ``level`` and above to stderr.

    Args:
        log_format: ``text`` or ``json``.
        level: a level name of the ``logging`` module.
    """
    handler = _CurrentStderr()
    as_json = log_format == "json"
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    logger = logging.getLogger(None if as_json else "wiesel")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logging.getLogger("wiesel").setLevel(level)
    logging.captureWarnings(as_json)
