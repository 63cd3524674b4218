"""Which Kafka the local broker is: the verified jars of a committed lock file, and what makes them start soon."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wiesel.broker.errors import BrokerConfigurationError
from wiesel.java.cache import cache_directory
from wiesel.java.class_archive import class_archive
from wiesel.java.jars import Report, fetch_jars
from wiesel.java.lockfile import read_lock
from wiesel.java.runtime import JavaRuntime, find_java

#: What a broker is unless somebody asks for another one.
KAFKA_VERSION: Final = "4.3.1"
#: Every version that is pinned: the last of 3.x, which most clusters run, the first of 4.x, and ours.
KAFKA_VERSIONS: Final = ("3.9.2", "4.0.1", KAFKA_VERSION)

_HERE: Final = Path(__file__).parent
#: Kafka's own command line tools, which run on the jars of KAFKA_VERSION.
TOOLS_LOCK_FILE: Final = _HERE / f"kafka-tools-{KAFKA_VERSION}.lock"


@dataclass(frozen=True)
class Installation:
    """All that a start needs: a Java, the verified jars in class path order, the archive of their classes if any."""

    java: JavaRuntime
    jars: list[Path]
    archive: Path | None


def lock_file(version: str) -> Path:
    """The lock file of a version's jars."""
    return _HERE / f"kafka-{version}.lock"


def class_list(version: str) -> Path:
    """The classes that a broker loads while it starts and serves a transaction; made together with the lock file."""
    return _HERE / f"kafka-{version}.classes"


def pinned_version(asked: str) -> str:
    """The pinned version that `asked` means: itself, or the one that begins so (`3.9` is 3.9.2)."""
    found = [version for version in KAFKA_VERSIONS if version == asked or version.startswith(f"{asked}.")]
    if not found:
        raise BrokerConfigurationError(
            f"Kafka {asked} is not pinned here; choose one of {', '.join(KAFKA_VERSIONS)}, or pin it "
            f"(docs/local-broker.md)."
        )
    return found[-1]


def install(report: Report, version: str = KAFKA_VERSION) -> Installation:
    """Find Java, download what the cache lacks, verify every jar now, and have the archive of classes made."""
    java = find_java()
    jars = fetch_jars(read_lock(lock_file(version)), cache_directory("jars"), report)
    classes, archive = class_list(version), None
    if classes.exists():  # only ours has one: the others start a second later
        archive = class_archive(f"kafka-{version}", java, jars, classes, cache_directory("classes"), report)
    return Installation(java, jars, archive)


def install_tools(report: Report) -> Installation:
    """As `install`, with Kafka's command line tools on the class path."""
    broker = install(report)
    tools = fetch_jars(read_lock(TOOLS_LOCK_FILE), cache_directory("jars"), report)
    # Behind the broker's jars: the archive of classes fits every class path that begins as its own.
    return Installation(broker.java, [*broker.jars, *tools], broker.archive)
