"""``make flink``: the proof of docs/scaling.md, run now, on a real broker and a real Flink cluster; updates the page.

    python -m tests.flink [--keep-page]

The exit code is 1 when an output differs. Two processes of Flink, one broker and one client's JVM want 4 GB of memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.flink import engines, page
from tests.flink.scenarios import Proof, Row
from wiesel.broker.local import LocalBroker
from wiesel.flink.environment import prepare
from wiesel.flink.local import LocalFlink, Wanted

_PARALLELISM = 2


def rows() -> Iterator[Row]:
    """Start broker and cluster, and run every scenario."""
    with ExitStack() as stack:
        scratch = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="flink-proof-", ignore_cleanup_errors=True))
        )
        broker = LocalBroker.start(scratch / "kafka", report=_tell)
        stack.callback(broker.stop, delete=True)
        wanted = Wanted(taskmanagers=1, slots=_PARALLELISM)
        cluster = stack.enter_context(LocalFlink.start(scratch / "flink", wanted, prepare(_tell), _tell))
        wiesel = engines.wiesel(_folder(scratch / "on-wiesel"), _PARALLELISM)
        flink = engines.flink(_folder(scratch / "on-flink"), _PARALLELISM, cluster.address)
        proof = Proof(broker.bootstrap_servers, wiesel, flink, cluster.address)
        yield from proof.word_count()
        yield from proof.flights()
        yield proof.moving()


def main() -> int:
    """Print the table; 1 if anything in it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep-page", action="store_true", help="leave docs/scaling.md as it is")
    arguments = parser.parse_args()
    found = []
    for row in rows():
        found.append(row)
        print("  ".join(page.cells(row)), flush=True)
    if not arguments.keep_page:
        page.update(found)
    return 0 if found and all(row.is_equal for row in found) else 1


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _tell(what: str, done: int, _total: int) -> None:
    if done == 0:
        print(what, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
