"""Which Kafka the local broker is, and its class path: the verified jars of the committed lock file."""

from pathlib import Path

from wiesel.java.cache import cache_directory
from wiesel.java.jars import Report, fetch_jars
from wiesel.java.lockfile import read_lock

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.lock")


def class_path(report: Report) -> list[Path]:
    """Every jar of the lock file, verified now; downloads those that are not in the user's cache yet."""
    return fetch_jars(read_lock(LOCK_FILE), cache_directory("jars"), report)
