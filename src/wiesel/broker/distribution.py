"""Which Kafka the local broker is: the verified jars of the committed lock file, and what makes them start soon."""

from collections.abc import Sequence
from pathlib import Path

from wiesel.java.cache import cache_directory
from wiesel.java.class_archive import class_archive
from wiesel.java.jars import Report, fetch_jars
from wiesel.java.lockfile import read_lock
from wiesel.java.runtime import JavaRuntime

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.lock")
# The classes that a broker loads while it starts and serves a transaction; made together with the lock file.
CLASS_LIST = LOCK_FILE.with_suffix(".classes")


def class_path(report: Report) -> list[Path]:
    """Every jar of the lock file, verified now; downloads those that are not in the user's cache yet."""
    return fetch_jars(read_lock(LOCK_FILE), cache_directory("jars"), report)


def archive(java: JavaRuntime, jars: Sequence[Path], report: Report) -> Path | None:
    """The archive of Kafka's classes for this Java, made at the first start on a machine."""
    return class_archive(f"kafka-{KAFKA_VERSION}", java, jars, CLASS_LIST, cache_directory("classes"), report)
