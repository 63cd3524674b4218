"""A job of two checkpoints in a process of its own, so that a rule can be switched off in it (WIESEL_ABLATE)."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from tests.integration.kafka_store import Store, sink_to

#: So that a push whose answer is missing is in doubt soon.
_TIMEOUT_MS = "3000"


def main(servers: str, topic: str, directory: str) -> None:
    """Publish two checkpoints, exactly once."""
    prefix = f"story-{uuid.uuid4().hex[:8]}"  # without the topic's name, by which the proxy knows its records
    job = Store(Path(directory)).start(sink_to(servers, topic, prefix, transaction_timeout_ms=_TIMEOUT_MS))
    try:
        job.checkpoint("a1", "a2")
        job.checkpoint("b1", "b2")
    finally:
        job.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
