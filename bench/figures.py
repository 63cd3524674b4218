"""The README's table, the full table and the charts, all made of what is in results/.

.venv/bin/python -m bench.figures            # writes them anew
.venv/bin/python -m bench.figures --check    # exit code 1 when one of them is not what the results say
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.charts import bars
from bench.process import BENCH

RESULTS = BENCH / "results"
README = BENCH.parent / "README.md"
PAGE = BENCH.parent / "docs" / "performance.md"
CHARTS = BENCH.parent / "docs" / "images"
BEGIN, END = "<!-- made by bench.figures from bench/results: begin -->", "<!-- end -->"
#: The README has room for what most people ask first, in this order.
FIRST = ("g3.pyflink", "g1.pyflink-", "g2.pyflink-thread", "g7.", "g7b.", "g3.by-hand", "g3b.by-hand", "g8.")


def main() -> int:
    """Write, or compare."""
    made = contents()
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
        for path in stale:
            print(f"{path.relative_to(BENCH.parent)} is not what bench/results say; run python -m bench.figures")
        return 1 if stale else 0
    write()
    return 0


def write() -> None:
    """Write all of them."""
    for path, text in contents().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def contents() -> dict[Path, str]:
    """What each file has to hold."""
    results = dict(read())
    first = [found for begin in FIRST for name, found in results.items() if name.startswith(begin)]
    made = {
        README: between(README.read_text(), short_table(first)),
        PAGE: between(PAGE.read_text(), table(list(results.values()))),
    }
    words = {name: found for name, found in results.items() if name.startswith(("g7.", "w2."))}
    if words:
        made[CHARTS / "word-count.svg"] = bars(
            "Word count, Kafka to Kafka", "thousand records per second of processor time", speeds(words)
        )
    keyed = {name: found for name, found in results.items() if name.startswith("g1.")}
    if keyed:
        made[CHARTS / "keyed-state.svg"] = bars(
            "Keyed ValueState, 20,000 keys", "thousand records per second of processor time, logarithmic",
            speeds(keyed), logarithmic=True,
        )  # fmt: skip
    return made


def read() -> Iterator[tuple[str, dict[str, Any]]]:
    """The results of the suite by file name, in the order of the cells."""
    from bench.cells import CELLS
    from bench.suite import file_of

    for cell in CELLS:
        path = file_of(cell)
        if path.exists():
            yield path.stem, json.loads(path.read_text())


def speeds(results: dict[str, dict[str, Any]]) -> list[tuple[str, float]]:
    """Thousand records per second of processor time: Wiesel's median over its cells, and each other's."""
    ours = [1e3 / cost for found in results.values() for cost in found["job"]["cpu_seconds_per_million"]]
    others = [(label(found), per_cpu_second(found["other"]) / 1e3) for found in results.values()]
    return sorted([("Wiesel", median(ours)), *others], key=lambda pair: -pair[1])


def table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown, one line a cell."""
    head = (
        "| | work | against | Wiesel: records/s | per CPU-s | the other: records/s | per CPU-s "
        "| per CPU-s, ratio (range) | bar |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(f"{line(found)}\n" for found in results)


def short_table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown for the README: what most people ask first."""
    rows = [
        f"| {found['work']} | {number(per_cpu_second(found['job']))} | {label(found)}: "
        f"{number(per_cpu_second(found['other']))} | **{short(found['median_ratio'])}×** |\n"
        for found in results
    ]
    return "| records per second of processor time | Wiesel | the other | |\n|---|---|---|---|\n" + "".join(rows)


def line(found: dict[str, Any]) -> str:
    """One cell."""
    ratios, bar, middle = found["ratios"], found["bar"], found["median_ratio"]
    verdict = "" if not bar else f"{bar:g} {'reached' if middle >= bar else '**missed**'}"
    cells = (
        found["goal"],
        found["work"],
        label(found),
        *(
            number(value)
            for side in (found["job"], found["other"])
            for value in (median(side["records_per_second"]), per_cpu_second(side))
        ),
        f"**{short(middle)}** ({short(min(ratios))} to {short(max(ratios))})",
        verdict,
    )
    return f"| {' | '.join(cells)} |"


def label(found: dict[str, Any]) -> str:
    """Name and version of the other."""
    return " ".join(filter(None, (found["against"], found["version"])))


def per_cpu_second(side: dict[str, Any]) -> float:
    """Records per second of processor time."""
    return 1e6 / float(median(side["cpu_seconds_per_million"]))


def number(value: float) -> str:
    """With three digits that count."""
    return f"{float(f'{value:.3g}'):,.0f}"


def short(ratio: float) -> str:
    """A ratio."""
    return f"{float(f'{ratio:.3g}'):,.0f}" if ratio >= 10 else f"{ratio:.2f}"


def between(text: str, inside: str) -> str:
    """The text with something else between the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the marks are gone")
    return f"{before}{begin}\n{inside}{end}{after}"


if __name__ == "__main__":
    sys.exit(main())
