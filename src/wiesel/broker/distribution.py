"""Which Kafka the local broker is: the verified jars of the committed lock file, and what makes them start soon."""

from dataclasses import dataclass
from pathlib import Path

from wiesel.java.cache import cache_directory
from wiesel.java.class_archive import class_archive
from wiesel.java.jars import Report, fetch_jars
from wiesel.java.lockfile import read_lock
from wiesel.java.runtime import JavaRuntime, find_java

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.lock")
# The classes that a broker loads while it starts and serves a transaction; made together with the lock file.
CLASS_LIST = LOCK_FILE.with_suffix(".classes")


@dataclass(frozen=True)
class Installation:
    """All that a start needs: a Java, the verified jars in class path order, the archive of their classes if any."""

    java: JavaRuntime
    jars: list[Path]
    archive: Path | None


def install(report: Report) -> Installation:
    """Find Java, download what the cache lacks, verify every jar now, and have the archive of classes made."""
    java = find_java()
    jars = fetch_jars(read_lock(LOCK_FILE), cache_directory("jars"), report)
    name = f"kafka-{KAFKA_VERSION}"
    return Installation(java, jars, class_archive(name, java, jars, CLASS_LIST, cache_directory("classes"), report))
