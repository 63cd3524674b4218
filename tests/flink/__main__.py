"""``make flink``: the proof of docs/scaling.md, run now, on a real broker and a real Flink cluster; updates the page.

    python -m tests.flink [--only PART] ...

What was found is kept part by part in ``results.json``, from which the page's table is made, so that parts can be run
on their own. The exit code is 1 when an output differs. Two processes of Flink, one broker and one client's JVM want
4 GB of memory.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.flink import engines, page
from tests.flink.scenarios import Proof, Row
from wiesel.broker.local import LocalBroker
from wiesel.flink.environment import prepare

_PARALLELISM = 2
#: In the order of the page.
PARTS: Final[dict[str, Callable[[Proof], Iterable[Row]]]] = {
    "words": Proof.word_count,
    "flights": Proof.flights,
    "moving": lambda proof: [proof.moving()],
    "savepoint": lambda proof: [proof.savepoint()],
    "mini": lambda proof: [proof.mini_cluster()],
    "shipping": lambda proof: [proof.shipping()],
    "failure": lambda proof: [proof.failure()],
    "deployment": lambda proof: [proof.deployment(prepare(_tell))],
}


def rows(parts: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """Start broker and cluster by the commands that users have, and run the parts; each row with its part's name."""
    with ExitStack() as stack:
        scratch = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="flink-proof-", ignore_cleanup_errors=True))
        )
        broker = LocalBroker.start(scratch / "kafka", report=_tell)
        stack.callback(broker.stop, delete=True)
        wiesel = engines.wiesel(_folder(scratch / "on-wiesel"), _PARALLELISM)
        cluster = stack.enter_context(_cluster(wiesel, str(scratch / "flink")))
        flink = engines.flink(_folder(scratch / "on-flink"), _PARALLELISM, cluster)
        proof = Proof(broker.bootstrap_servers, wiesel, flink, cluster)
        for part in parts:
            for row in PARTS[part](proof):
                yield part, row


@contextmanager
def _cluster(wiesel: engines.Engine, directory: str) -> Iterator[str]:
    prepare(_tell)  # the download takes longer than the start of a cluster may
    up = wiesel.call("flink", "up", "--port", "0", "--slots", str(_PARALLELISM), "--dir", directory)
    try:
        status = wiesel.call("flink", "status", "--dir", directory)
        assert f"slots={_PARALLELISM} free={_PARALLELISM}" in status, status
        assert "taskmanager-1=pid=" in status, status
        yield up.strip().removeprefix("rest.address=")
    finally:
        wiesel.call("flink", "down", "--dir", directory)


def main() -> int:
    """Print the table; 1 if anything in it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(PARTS), action="append", metavar="PART", help=", ".join(PARTS))
    parts = parser.parse_args().only or list(PARTS)
    # Broker and Flink are processes of their own, and outlive one that is killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found: dict[str, list[Row]] = {part: [] for part in parts}
    for part, row in rows(parts):
        found[part].append(row)
        print("  ".join(page.cells(row)), flush=True)
        page.update(found, list(PARTS))  # at once: a later part may fail
    all_rows = [row for part in found.values() for row in part]
    return 0 if all(found.values()) and all(row.is_equal for row in all_rows) else 1


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _tell(what: str, done: int, _total: int) -> None:
    if done == 0:
        print(what, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
