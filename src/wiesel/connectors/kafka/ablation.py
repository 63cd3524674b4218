"""The committer's decisions and the log's disk as the sink asks for them, or broken on purpose for the kill harness.

``WIESEL_ABLATE`` chooses once, at import (core/failpoints.py); unset, these are the functions of committer.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from wiesel.connectors.kafka import committer
from wiesel.connectors.kafka.committer import Decision, Delivery, Segment, Stop
from wiesel.connectors.kafka.progress import Progress, ProgressRecord
from wiesel.connectors.kafka.wal import Block
from wiesel.core import failpoints
from wiesel.core.disk import AppendFile, Disk, OsDisk
from wiesel.core.host import host

if TYPE_CHECKING:
    from wiesel.connectors.kafka.delivery import FencedProducer


class _UnsyncedFile:
    """A file whose content stays in memory, as that of an unsynced file does in the page cache."""

    def __init__(self, file: AppendFile) -> None:
        self.file = file
        self.content = bytearray()

    def write(self, data: bytes) -> None:
        self.content += data

    def sync_and_close(self) -> None:
        """Do not wait for the disk."""

    def close(self) -> None:
        self.file.close()


class _UnsyncedDisk(OsDisk):
    """Without the log's fsync: what nobody has read back is lost by SIGKILL, as by a power failure."""

    _files: ClassVar[dict[Path, _UnsyncedFile]] = {}

    def create(self, path: Path) -> AppendFile:
        file = self._files[path] = _UnsyncedFile(super().create(path))
        return file

    def read(self, path: Path) -> bytes:
        cached = self._files.pop(path, None)
        if cached is not None:
            cached.file.write(bytes(cached.content))
            cached.file.sync_and_close()
        return super().read(path)


class FencedLate:
    """Without rule 1: fences when it publishes, after the marker was read."""

    def __init__(self, fence: Callable[[], FencedProducer]) -> None:
        self._fence = fence
        self._producer: FencedProducer | None = None

    def publish(self, blocks: Iterable[Block], record: ProgressRecord) -> None:
        """Fence, then publish."""
        self._producer = self._fence()
        self._producer.publish(blocks, record)

    def abandon(self) -> None:
        """Give up the producer, if there is one already."""
        if self._producer is not None:
            self._producer.abandon()


def _fenced(fence: Callable[[], FencedProducer]) -> FencedProducer:
    return fence()


def no_claims(progress: Progress, tid: str, store: str, start: int, first_start_of_store: bool) -> Stop | None:
    """Without rule 8's claims: nobody is ever in another one's way."""
    return None


def _never_stop(
    progress: Progress, tid: str, lineage: str, pending: Sequence[Segment], last_confirmed: int, rewound: bool
) -> Decision:
    """Without rule 8's stops: whatever is at or below the marker counts as published."""
    marker = progress.marker(tid, lineage)
    published = marker.seq if marker is not None else 0
    return _split(pending, lambda segment: segment.seq <= published, published)


def _bare_checkpoint_ids(
    progress: Progress, tid: str, lineage: str, pending: Sequence[Segment], last_confirmed: int, rewound: bool
) -> Decision:
    """Without rule 5: a marker of any lineage with the same or a higher checkpoint id counts."""
    newest = max((marker.checkpoint_id for marker in progress.markers(tid)), default=0)
    marker = progress.marker(tid, lineage)
    return _split(pending, lambda segment: segment.checkpoint_id <= newest, marker.seq if marker is not None else 0)


def _split(pending: Sequence[Segment], is_published: Callable[[Segment], bool], published: int) -> Delivery:
    skip = tuple(filter(is_published, pending))
    return Delivery(
        skip=skip,
        push=tuple(segment for segment in pending if not is_published(segment)),
        confirmed=max([published, *(segment.seq for segment in skip)]),
    )


#: Makes the disk on which segments lie.
segment_disk: Final[Callable[[], Disk]] = _UnsyncedDisk if failpoints.ablated("walsync") else lambda: host().disk()
#: Rule 1: makes a producer that has fenced its predecessors.
fenced: Final[Callable[[Callable[[], FencedProducer]], FencedProducer]] = (
    FencedLate if failpoints.ablated("rule1") else _fenced
)
#: Rule 2: whether a fence makes what was read before it worthless.
LOOKS_AFTER_EVERY_FENCE: Final = not failpoints.ablated("rule2")
#: Rule 3: whether a producer carries one transaction only.
FRESH_PRODUCER_EACH: Final = not failpoints.ablated("rule3")
#: Rule 4: whether a look at the progress topic waits for its echo, or ends at the last stable offset.
WAITS_FOR_ECHO: Final = not failpoints.ablated("rule4")
#: 4c of the protocol.
check_claim: Final = no_claims if failpoints.ablated("rule8") else committer.check_claim
#: 4d of the protocol.
decide: Final = (
    _bare_checkpoint_ids
    if failpoints.ablated("rule5")
    else _never_stop
    if failpoints.ablated("rule8")
    else committer.decide
)
