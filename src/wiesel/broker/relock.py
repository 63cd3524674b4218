"""
Regenerates what is pinned of the local broker: `python -m wiesel.broker.relock [VERSION]`, or `make lock-broker`.

Needed only when a version of Kafka changes or is added. It writes the lock file of the jars and, for the default
version, that of Kafka's tools and, from a real run, the list of classes. The digests are of what Maven Central serves
today, so read the difference before you commit it.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wiesel.broker.admin import Admin
from wiesel.broker.client import client_properties
from wiesel.broker.distribution import KAFKA_VERSION, TOOLS_LOCK_FILE, class_list, lock_file
from wiesel.broker.local import LocalBroker
from wiesel.java.jars import DOWNLOAD_TIMEOUT_SECONDS
from wiesel.java.lockfile import LockedJar, format_lock
from wiesel.java.maven import download, resolve_closure

# Kafka logs through slf4j 1.7. Its simplest binding writes to stderr and starts 0.3 s sooner than log4j.
LOGGING = "org.slf4j:slf4j-simple:1.7.36"


def lock_jars(version: str) -> None:
    """Resolve the closure of a broker from scratch and write the lock file."""
    roots = (f"org.apache.kafka:kafka_2.13:{version}", LOGGING)
    with tempfile.TemporaryDirectory(prefix="wiesel-relock-") as scratch:
        closure = resolve_closure(roots, Path(scratch), DOWNLOAD_TIMEOUT_SECONDS)
        heading = (
            f"All jars that Apache Kafka {version} needs to run, with the SHA-512 of each. Generated: "
            f"`make lock-broker ARGS={version}`.\nRoots: {', '.join(roots)}"
        )
        _write(lock_file(version), [_locked(name, path) for name, path in closure.items()], heading)


def lock_tools() -> None:
    """Write the lock file of Kafka's command line tools, which need nothing but the broker's jars."""
    coordinate = f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}"
    with tempfile.TemporaryDirectory(prefix="wiesel-relock-") as scratch:
        jar = _locked(coordinate, download(coordinate, Path(scratch), DOWNLOAD_TIMEOUT_SECONDS))
        heading = (
            "Kafka's own tools, for questions that no Python client asks (wiesel txn); runs on the jars of "
            f"{lock_file(KAFKA_VERSION).name}.\nGenerated: `make lock-broker`."
        )
        _write(TOOLS_LOCK_FILE, [jar], heading)


def _locked(coordinate: str, jar: Path) -> LockedJar:
    return LockedJar(coordinate, hashlib.sha512(jar.read_bytes()).hexdigest())


def _write(path: Path, jars: Sequence[LockedJar], heading: str) -> None:
    path.write_text(format_lock(jars, heading), encoding="utf-8")
    sys.stderr.write(f"{path.name}: {len(jars)} jars\n")


def list_classes() -> None:
    """Format and run a broker through a transaction and a group, and write the classes that its two JVMs loaded."""
    classes_file = class_list(KAFKA_VERSION)
    classes_file.write_text("java/lang/Object\n", encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="wiesel-relock-") as scratch:
        # A cache of its own, so that the jars come anew and are verified against the new lock file.
        os.environ["XDG_CACHE_HOME"] = scratch
        # The JVM replaces %p by its process id: the storage tool and the server write a file each.
        os.environ["JAVA_TOOL_OPTIONS"] = f"-XX:DumpLoadedClassList={scratch}/%p.classes"
        broker = LocalBroker.start(Path(scratch) / "broker")
        try:
            _use(broker.bootstrap_servers)
        finally:
            broker.stop(delete=True)
        classes = {
            line.partition(" id: ")[0]
            for written in Path(scratch).glob("*.classes")
            for line in written.read_text(encoding="utf-8").splitlines()
            # Comments, and lambdas: a Java of another version than this one may crash on those.
            if not line.startswith(("#", "@"))
        }
    classes_file.write_text("".join(f"{name}\n" for name in sorted(classes)), encoding="utf-8")
    sys.stderr.write(f"{classes_file.name}: {len(classes)} classes\n")


def _use(bootstrap_servers: str) -> None:
    from confluent_kafka import Consumer, Producer

    Admin(bootstrap_servers).create_topic("relock")
    producer = Producer({**client_properties(bootstrap_servers), "transactional.id": "relock"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("relock", b"value", b"key")
    producer.commit_transaction(30)
    consumer = Consumer({**client_properties(bootstrap_servers), "group.id": "relock", "auto.offset.reset": "earliest"})
    consumer.subscribe(["relock"])
    if consumer.poll(30) is None:
        raise RuntimeError("the broker that was to be observed did not serve a record")
    consumer.commit(asynchronous=False)
    consumer.close()
    Admin(bootstrap_servers).delete_topics(["relock"])


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else KAFKA_VERSION
    lock_jars(asked)
    if asked == KAFKA_VERSION:
        lock_tools()
        list_classes()
