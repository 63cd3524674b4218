"""Names that exactly-once sinks give: transactional ids, the progress topic, directories of the write-ahead log."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import quote

_LONGEST_TOPIC: Final = 249
_LONGEST_FILE: Final = 100


def transactional_id(prefix: str, sink_uid: str, subtask: int) -> str:
    """Return the transactional id of a sink's subtask; it never changes."""
    return f"{prefix}-{sink_uid}-{subtask}"


def is_transactional_id(tid: str, prefix: str, sink_uid: str) -> bool:
    """Whether a transactional id is that of some subtask of a sink."""
    return re.fullmatch(rf"{re.escape(prefix)}-{re.escape(sink_uid)}-\d+", tid) is not None


def progress_topic(prefix: str) -> str:
    """Return the progress topic of a prefix; what topics cannot be called is replaced, and a digest keeps it unique."""
    name = f"__wiesel-progress-{prefix}"
    legal = re.sub(r"[^a-zA-Z0-9._-]", "_", name)
    if legal == name and len(name) <= _LONGEST_TOPIC:
        return name
    return f"{legal[: _LONGEST_TOPIC - 13]}-{_digest(prefix)}"


def is_topic_name(name: str) -> bool:
    """Whether Kafka lets a topic be called so."""
    return re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", name) is not None and name not in (".", "..")


def wal_directory(sink_uid: str) -> str:
    """Return where a sink's segments lie, relative to the job directory."""
    name = quote(sink_uid, safe="")
    # Neither hidden nor a step upwards, whatever the user called the sink.
    if name.startswith(".") or len(name) > _LONGEST_FILE:
        name = f"sink-{_digest(sink_uid)}"
    return f"wal/{name}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
