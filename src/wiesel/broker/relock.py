"""
Regenerates what is pinned of the local broker: `python -m wiesel.broker.relock`, or `make lock-broker`.

Needed only when the version of Kafka changes. It writes the lock file of the jars and then, from a real run, the list
of classes. The digests are of what Maven Central serves today, so read the difference before you commit it.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from wiesel.broker.admin import Admin
from wiesel.broker.client import client_properties
from wiesel.broker.distribution import CLASS_LIST, KAFKA_VERSION, LOCK_FILE
from wiesel.broker.local import LocalBroker
from wiesel.java.jars import DOWNLOAD_TIMEOUT_SECONDS
from wiesel.java.lockfile import LockedJar, format_lock
from wiesel.java.maven import resolve_closure

# Kafka logs through slf4j 1.7. Its simplest binding writes to stderr and starts 0.3 s sooner than log4j.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")

HEADING = f"""\
All jars that Apache Kafka {KAFKA_VERSION} needs to run, with the SHA-512 of each. Generated: `make lock-broker`.
Roots: {", ".join(ROOTS)}"""


def lock_jars() -> None:
    """Resolve the closure of ROOTS from scratch and write the lock file."""
    with tempfile.TemporaryDirectory(prefix="wiesel-relock-") as scratch:
        closure = resolve_closure(ROOTS, Path(scratch), DOWNLOAD_TIMEOUT_SECONDS)
        jars = [LockedJar(name, hashlib.sha512(path.read_bytes()).hexdigest()) for name, path in closure.items()]
    LOCK_FILE.write_text(format_lock(jars, HEADING), encoding="utf-8")
    sys.stderr.write(f"{LOCK_FILE.name}: {len(jars)} jars\n")


def list_classes() -> None:
    """Format and run a broker through a transaction and a group, and write the classes that its two JVMs loaded."""
    CLASS_LIST.write_text("java/lang/Object\n", encoding="utf-8")
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
    CLASS_LIST.write_text("".join(f"{name}\n" for name in sorted(classes)), encoding="utf-8")
    sys.stderr.write(f"{CLASS_LIST.name}: {len(classes)} classes\n")


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
    lock_jars()
    list_classes()
