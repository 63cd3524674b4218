"""What ``make parity`` found last, program by program: kept while it runs, so that a run that was cut can be resumed.

``results.json`` says on which versions it was; ``docs/parity.md`` shows it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from wiesel.flink.environment import FLINK_VERSION, JAVA
from wiesel.java.runtime import find_java

RESULTS: Final = Path(__file__).with_name("results.json")


def versions() -> dict[str, str]:
    """Return what the programs are run on here."""
    return {
        "pyflink": FLINK_VERSION,
        "java": find_java(min(JAVA), only=JAVA).version,
        "python": platform.python_version(),
    }


def digest(script: Path) -> str:
    """Return what changes when a script does."""
    return hashlib.sha256(script.read_bytes()).hexdigest()[:16]


def read() -> dict[str, Any]:
    """Return ``{"versions": …, "verdicts": {name: {"verdict": …, "digest": …}}}``."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {"versions": {}, "verdicts": {}, **found}


def keep(name: str, verdict: str, script: Path) -> None:
    """Write down a verdict, at once."""
    results = read()
    verdicts: Mapping[str, Any] = {**results["verdicts"], name: {"verdict": verdict, "digest": digest(script)}}
    told = {"versions": versions(), "verdicts": dict(sorted(verdicts.items()))}
    changed = RESULTS.with_suffix(".new")
    changed.write_text(json.dumps(told, indent=1) + "\n")
    changed.replace(RESULTS)


def verdict_on(name: str, script: Path) -> str | None:
    """Return the verdict on this very script, on these versions of everything; None if there is none."""
    results = read()
    found = results["verdicts"].get(name)
    if found is None or found["digest"] != digest(script) or results["versions"] != versions():
        return None
    return str(found["verdict"])
