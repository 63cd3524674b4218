"""The page ``docs/parity.md``, made from the programs, the deliberate differences and the list of examples.

Written by ``python -m tests.parity.page > docs/parity.md``; a test keeps the committed page current, and other tests
that what it says is so.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.parity import catalog, results
from tests.parity.examples import Example, examples

_INTRODUCTION = """\
# The same programs on PyFlink and on Wiesel

{programs} small scripts, each about one thing, were run on PyFlink 2.3.0, and what they printed was recorded.
`make test` runs them on Wiesel and compares. Where Flink leaves the order of records open they are compared as
multisets, else in order. Of an error its class and the words that matter are compared.
**{equal} are equal, {words} fail alike in other words, {different} differ**: [below](#differences) it is said how and
why, and the tests make sure that they differ in that way only.

- `make parity` runs all programs on both engines now, the real PyFlink included, and fails on a difference that is not
  explained here. It makes itself an environment of 0.8 GB once, and takes some minutes; verdicts are printed and kept
  as they come, and `make parity ARGS=--resume` goes on where it was cut. {live}
- `python -m tests.parity.record [NAME …]` records anew: `tests/parity/recordings/NAME.txt` holds what
  `tests/parity/programs/NAME.py` printed, an error in a last line after `!`.

This page is generated (`python -m tests.parity.page > docs/parity.md`); do not edit it by hand.

## Surprises

What surprises whoever knows streaming, but not PyFlink, and the programs that show it.

| | PyFlink 2.3 | programs |
|---|---|---|
"""


def surprises() -> dict[str, str]:
    """Return the sentence about each surprise, by ``S`` and its number."""
    return tomllib.loads((Path(__file__).parent / "surprises.toml").read_text())


def render() -> str:
    """Return the whole page."""
    programs, differences = catalog.programs(), catalog.differences()
    verdicts = {program.name: _verdict(program, differences.get(program.name)) for program in programs}
    count = Counter(verdicts.values())
    found = results.read()
    text = _INTRODUCTION.format(
        programs=len(programs),
        equal=count["equal"],
        words=count["other words"],
        different=count["differs"],
        live=_last_run(
            found, [*(program.name for program in programs), *(e.name for e in examples() if not e.not_run)]
        ),
    )
    for surprise, sentence in surprises().items():
        covering = [program for program in programs if surprise in program.covers]
        text += f"| {surprise} | {sentence} | {', '.join(f'`{program.name}`' for program in covering)} |\n"
    text += "\n## Programs\n\n`live` is what the last `make parity` saw.\n\n"
    text += "| program | shows | Wiesel | live |\n|---|---|---|---|\n"
    for program in programs:
        text += f"| {_link(program)} | {program.shows} | {verdicts[program.name]} | {_live(found, program.name)} |\n"
    text += "\n## Differences\n\n| program | what differs, and why |\n|---|---|\n"
    for program in programs:
        if program.name in differences:
            text += f"| `{program.name}` | {differences[program.name].reason} |\n"
    text += "\n## PyFlink's own examples\n\nThe scripts that ship in PyFlink's wheel (`pyflink/examples/datastream`). "
    text += "`make parity` takes them from the\nreal one's environment and runs them unmodified under `wiesel run`.\n\n"
    text += "| script | | live |\n|---|---|---|\n"
    text += "".join(f"| `{e.name}` | {_fate(e)} | {_live(found, e.name)} |\n" for e in examples())
    return text


def _last_run(found: dict[str, Any], names: Sequence[str]) -> str:
    """What the last run saw, in a sentence."""
    verdicts = Counter(_live(found, name) for name in names)
    if not found["versions"]:
        return "It has not been run yet."
    on = "PyFlink {pyflink}, Java {java}, Python {python}".format(**found["versions"])
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    return f"The last run, on {on}, compared {len(names)} programs and examples: {told}."


def _live(found: dict[str, Any], name: str) -> str:
    verdict = found["verdicts"].get(name, {}).get("verdict", "")
    return "different, as explained" if verdict == "different" else verdict


def _verdict(program: catalog.Program, difference: catalog.Difference | None) -> str:
    if difference is None:
        return "equal"
    return "other words" if difference.is_only_in_words(catalog.recording(program.name)) else "differs"


def _link(program: catalog.Program) -> str:
    return f"[{program.name}](../tests/parity/programs/{program.name}.py)"


def _fate(example: Example) -> str:
    return f"not run: {example.not_run}" if example.not_run else example.compared


if __name__ == "__main__":
    print(render(), end="")
