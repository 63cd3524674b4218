"""
Regenerates the lock file of the local broker's jars: `python -m wiesel.broker.relock`, or `make lock-broker`.

Needed only when the version of Kafka changes. The digests are of what Maven Central serves today, so the difference is
to be read before it is committed.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from wiesel.broker.distribution import KAFKA_VERSION, LOCK_FILE
from wiesel.java.jars import DOWNLOAD_TIMEOUT_SECONDS
from wiesel.java.lockfile import LockedJar, format_lock
from wiesel.java.maven import resolve_closure

# Kafka logs through slf4j 1.7. Its simplest binding writes to stderr and starts 0.3 s sooner than log4j.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")

HEADING = f"""\
All jars that Apache Kafka {KAFKA_VERSION} needs to run, with the SHA-512 of each. Generated: `make lock-broker`.
Roots: {", ".join(ROOTS)}"""


def main() -> None:
    """Resolve the closure of ROOTS from scratch and write the lock file."""
    with tempfile.TemporaryDirectory(prefix="wiesel-relock-") as scratch:
        closure = resolve_closure(ROOTS, Path(scratch), DOWNLOAD_TIMEOUT_SECONDS)
        jars = [LockedJar(name, hashlib.sha512(path.read_bytes()).hexdigest()) for name, path in closure.items()]
    LOCK_FILE.write_text(format_lock(jars, HEADING), encoding="utf-8")
    sys.stderr.write(f"{LOCK_FILE.name}: {len(jars)} jars\n")


if __name__ == "__main__":
    main()
