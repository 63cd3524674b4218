"""The command lines of Kafka's own programs, and JVM options that make a small broker start soon. Pure."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

MAXIMUM_HEAP = "512m"
#: Of each broker of a cluster, which shares one laptop with the others.
CLUSTER_HEAP = "256m"

_LOGGING = {
    "showDateTime": "true",
    "dateTimeFormat": "yyyy-MM-dd HH:mm:ss.SSS",
    # It would write all 400 properties at every start, and an override under an unknown key may be a secret.
    "log.org.apache.kafka.common.config.AbstractConfig": "warn",
    "log.org.apache.kafka.clients": "warn",
    "log.org.apache.kafka.common.utils.AppInfoParser": "warn",
}


def jvm_options(temporary: Path, archive: Path | None, maximum_heap: str = MAXIMUM_HEAP) -> list[str]:
    """
    Options for a broker that shares a laptop.

    Measured on two cores, from start to first answer: 2.7 s without any of them, 2.0 s compiling with C1 only, 1.2 s
    with the archive of loaded classes on top.
    """
    options = [
        f"-Xmx{maximum_heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        # Else each JVM puts a file into a directory of a well-known name under /tmp.
        "-XX:-UsePerfData",
        "-Xshare:auto",
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={temporary}",
    ]
    if archive is not None:
        options.append(f"-XX:SharedArchiveFile={archive}")
    options += [f"-Dorg.slf4j.simpleLogger.{key}={value}" for key, value in _LOGGING.items()]
    return options


def broker_command(java: Path, options: Sequence[str], properties: Path) -> list[str]:
    """Kafka's server. The class path goes through the environment, so that the process list stays readable."""
    return [str(java), *options, "kafka.Kafka", str(properties)]


def format_command(java: Path, options: Sequence[str], properties: Path, cluster_id: str) -> list[str]:
    """Kafka's storage tool, which a KRaft node needs once before its first start."""
    return [str(java), *options, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]


def cluster_id(random: bytes) -> str:
    """A cluster id as Kafka writes them, 16 bytes in base64, without a dash in front, as an option has."""
    return urlsafe_b64encode(bytes([random[0] & 0x7F]) + random[1:]).decode().rstrip("=")


def environment(inherited: Mapping[str, str], class_path: Sequence[Path]) -> dict[str, str]:
    """The user's environment with our class path, and without what would change another's JVM silently."""
    ours = {key: value for key, value in inherited.items() if key not in ("JDK_JAVA_OPTIONS", "KAFKA_OPTS")}
    return {**ours, "CLASSPATH": ":".join(str(jar) for jar in class_path)}
