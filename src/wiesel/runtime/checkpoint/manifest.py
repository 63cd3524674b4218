"""What a checkpoint holds, as data, and its text: JSON behind one line with version, digest and seal.

The digest finds damage; the seal (an HMAC under the installation's key) tells whether pickles inside may be loaded.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wiesel.core.contracts import Committable, Json, SourceSplit
from wiesel.core.errors import CheckpointCorruptError, CheckpointForeignError
from wiesel.runtime.reports import OperatorSnapshot, StateFile

FORMAT_VERSION: Final = 1
_MAGIC: Final = b"wiesel-checkpoint"
#: What a user can do about a checkpoint that cannot be used.
WAYS_OUT: Final = (
    "Nothing was started, and no older checkpoint is used in its place, because its output may already be published. "
    "Put it back from a copy, or choose yourself: -s PATH of another checkpoint repeats output, --fresh "
    "begins anew."
)


@dataclass(frozen=True, slots=True)
class OperatorManifest:
    """One operator over all its subtasks."""

    name: str
    max_parallelism: int
    subtasks: Sequence[OperatorSnapshot]
    enumerator: Json | None = None


@dataclass(frozen=True, slots=True)
class CheckpointManifest:
    """One complete checkpoint.

    Args:
        checkpoint_id: number, rising over all lineages of a job.
        lineage: the unbroken history it belongs to.
        timestamp_ms: when it was completed.
        operators: by uid.
        pending: everything writers made durable that no committer has confirmed, in order.
        committers: what each sink's committer has confirmed, by sink uid.
        job_id: the job that took it, for messages.
        files: of a savepoint, the files of ``pending``, relative to the savepoint; None for a checkpoint, whose lie in
            the job directory.
    """

    checkpoint_id: int
    lineage: str
    timestamp_ms: int
    operators: Mapping[str, OperatorManifest] = field(default_factory=dict)
    pending: Sequence[Committable] = ()
    committers: Mapping[str, Json] = field(default_factory=dict)
    job_id: str = ""
    files: Sequence[StateFile] | None = None

    def all_files(self) -> list[StateFile]:
        """Return every file beside the manifest that it cannot do without."""
        parts = [part for operator in self.operators.values() for part in operator.subtasks]
        return [*(file for part in parts for file in part.keyed_state()), *(self.files or ())]


@dataclass(frozen=True, slots=True)
class SealKey:
    """The key under which an installation seals its checkpoints."""

    secret: bytes

    @property
    def key_id(self) -> str:
        """A name for the key that does not give it away."""
        return hashlib.sha256(b"wiesel key id" + self.secret).hexdigest()[:16]

    def seal(self, body: bytes) -> str:
        """Return the HMAC of ``body``."""
        return hmac.new(self.secret, body, hashlib.sha256).hexdigest()


def encode(manifest: CheckpointManifest, key: SealKey) -> bytes:
    """Return the file content of a manifest."""
    body = json.dumps(_to_json(manifest), separators=(",", ":"), sort_keys=True).encode()
    key_id = key.key_id.encode()
    header = f" {FORMAT_VERSION} sha256={_digest(key_id, body)} key={key.key_id} hmac={key.seal(body)}\n".encode()
    return _MAGIC + header + body


def _digest(key_id: bytes, body: bytes) -> str:
    """Over the key's name too: a damaged one must not look like another installation's."""
    return hashlib.sha256(key_id + b"\n" + body).hexdigest()


def decode(content: bytes, key: SealKey, *, where: str, trust: bool) -> CheckpointManifest:
    """Return the manifest in ``content`` after checking version, digest and seal.

    Args:
        content: the file.
        key: this installation's key.
        where: the file's name for messages.
        trust: the user's word that a foreign checkpoint may be loaded (``--trust-pickle``).

    Raises:
        CheckpointCorruptError: the content was changed or shortened.
        CheckpointForeignError: another format version, or sealed by another installation and not trusted.
    """
    header, newline, body = content.partition(b"\n")
    words = header.split(b" ")
    if not newline or len(words) != 5 or words[0] != _MAGIC:
        raise CheckpointCorruptError(f"{where} is damaged: its first line is not that of a checkpoint. {WAYS_OUT}")
    if words[1] != str(FORMAT_VERSION).encode():
        raise CheckpointForeignError(
            f"{where} has format version {words[1].decode(errors='replace')}, and this Wiesel reads {FORMAT_VERSION}. "
            f"Start the job with the version of Wiesel that wrote it, or a later one that still reads that format."
        )
    fields = dict(word.split(b"=", 1) for word in words[2:] if b"=" in word)
    if fields.get(b"sha256") != _digest(fields.get(b"key", b""), body).encode():
        raise CheckpointCorruptError(f"{where} is damaged: its content does not match its checksum. {WAYS_OUT}")
    if fields.get(b"key") != key.key_id.encode():
        if not trust:
            raise CheckpointForeignError(
                f"{where} was sealed by another installation, and its state may run code when it is loaded. If you "
                f"trust where it comes from, start with --trust-pickle, or give both installations the same key "
                f"(wiesel.checkpoint.key-file)."
            )
    elif not hmac.compare_digest(fields.get(b"hmac", b""), key.seal(body).encode()):
        raise CheckpointCorruptError(f"{where} is damaged or forged: its seal does not match its content. {WAYS_OUT}")
    manifest = _from_json(json.loads(body))
    for file in [*(f.name for f in manifest.all_files()), *(c.path for c in manifest.pending if c.path is not None)]:
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise CheckpointCorruptError(f"{where} is forged: it names a file outside of its directory, {file!r}.")
    return manifest


def _to_json(manifest: CheckpointManifest) -> dict[str, Any]:
    return {
        "checkpoint": manifest.checkpoint_id,
        "lineage": manifest.lineage,
        "timestamp": manifest.timestamp_ms,
        "operators": {
            uid: {
                "name": operator.name,
                "maxParallelism": operator.max_parallelism,
                "enumerator": operator.enumerator,
                "subtasks": [_snapshot_to_json(s) for s in operator.subtasks],
            }
            for uid, operator in manifest.operators.items()
        },
        "pending": [{"sink": c.sink_uid, "data": dict(c.data), "path": c.path} for c in manifest.pending],
        "committers": dict(manifest.committers),
        "job": manifest.job_id,
        "files": None if manifest.files is None else [_file_to_json(file) for file in manifest.files],
    }


def _file_to_json(file: StateFile) -> dict[str, Any]:
    return {"name": file.name, "size": file.size, "sha256": file.sha256}


def _file_from_json(data: dict[str, Any]) -> StateFile:
    return StateFile(data["name"], data["size"], data["sha256"])


def _snapshot_to_json(snapshot: OperatorSnapshot) -> dict[str, Any]:
    keyed = snapshot.keyed
    return {
        "state": snapshot.state,
        "keyed": None if keyed is None else _file_to_json(keyed),
        "keyedFiles": [_file_to_json(file) for file in snapshot.keyed_files],
        "splits": [{"id": s.split_id, "position": dict(s.position)} for s in snapshot.splits],
    }


def _from_json(data: dict[str, Any]) -> CheckpointManifest:
    return CheckpointManifest(
        checkpoint_id=data["checkpoint"],
        lineage=data["lineage"],
        timestamp_ms=data["timestamp"],
        operators={
            uid: OperatorManifest(
                name=operator["name"],
                max_parallelism=operator["maxParallelism"],
                enumerator=operator["enumerator"],
                subtasks=[_snapshot_from_json(s) for s in operator["subtasks"]],
            )
            for uid, operator in data["operators"].items()
        },
        pending=[Committable(c["sink"], c["data"], c["path"]) for c in data["pending"]],
        committers=data["committers"],
        job_id=data["job"],
        files=None if data["files"] is None else [_file_from_json(file) for file in data["files"]],
    )


def _snapshot_from_json(data: dict[str, Any]) -> OperatorSnapshot:
    keyed = data["keyed"]
    return OperatorSnapshot(
        state=data["state"],
        keyed=None if keyed is None else _file_from_json(keyed),
        splits=[SourceSplit(s["id"], s["position"]) for s in data["splits"]],
        keyed_files=[_file_from_json(file) for file in data["keyedFiles"]],
    )
