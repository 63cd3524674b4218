"""``make flink``: the proof of docs/scaling.md, run now, on a real broker and a real Flink cluster; updates the page.

    python -m tests.flink [--only PART] ...

What was found is kept part by part in ``results.json``, from which the page's table is made, so that parts can be run
on their own. The exit code is 1 when an output differs. Two processes of Flink, one broker and one client's JVM want
4 GB of memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.flink import engines, page
from tests.flink.scenarios import Proof, Row
from wiesel.broker.local import LocalBroker
from wiesel.flink.environment import prepare
from wiesel.flink.local import LocalFlink, Wanted

_PARALLELISM = 2
#: In the order of the page.
PARTS: Final[dict[str, Callable[[Proof], Iterable[Row]]]] = {
    "words": Proof.word_count,
    "flights": Proof.flights,
    "moving": lambda proof: [proof.moving()],
    "savepoint": lambda proof: [proof.savepoint()],
    "deployment": lambda proof: [proof.deployment(prepare(_tell))],
}


def rows(parts: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """Start broker and cluster, and run the parts; each row with the name of its part."""
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
        for part in parts:
            for row in PARTS[part](proof):
                yield part, row


def main() -> int:
    """Print the table; 1 if anything in it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(PARTS), action="append", metavar="PART", help=", ".join(PARTS))
    parts = parser.parse_args().only or list(PARTS)
    found: dict[str, list[Row]] = {part: [] for part in parts}
    for part, row in rows(parts):
        found[part].append(row)
        print("  ".join(page.cells(row)), flush=True)
    page.update(found, list(PARTS))
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
