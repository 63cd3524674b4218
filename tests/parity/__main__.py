"""``make parity``: every program on the real PyFlink and on Wiesel, now, and a table of what they did.

    python -m tests.parity [--resume] [NAME ...]

A name is a program's or an example's; without names everything is run, which takes some minutes. Verdicts are kept in
``results.json`` as they come; ``--resume`` leaves out what has one that is explained. The exit code is 1 when the
engines differ in a way that ``differences.toml`` does not explain.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from tests.parity import examples as shipped_examples
from tests.parity import live, results
from tests.parity.catalog import Difference, Expectation, Program, differences, programs
from tests.parity.reference import make_reference
from tests.parity.runner import Outcome


class Row(NamedTuple):
    """One line of the table; ``unexplained`` holds what both did when nothing says why they differ."""

    name: str
    verdict: str
    why: str
    unexplained: str = ""


def compare(program: Program, pyflink: Outcome | None, wiesel: Outcome | None, difference: Difference | None) -> Row:
    """Return the verdict on one program."""
    if pyflink is None or wiesel is None:
        return Row(program.name, "LOST", f"{'PyFlink' if pyflink is None else 'Wiesel'} did not get to its end", "lost")
    expected = Expectation.of(pyflink, ordered=program.ordered)
    if expected.is_met_by(wiesel, ordered=program.ordered):
        if difference is None:
            return Row(program.name, "equal", "")
        return Row(program.name, "EQUAL", "differences.toml says that it is not", "equal")
    if difference is not None and difference.wiesel.is_met_by(wiesel, ordered=program.ordered):
        return Row(program.name, "different", difference.reason)
    actual = Expectation.of(wiesel, ordered=program.ordered)
    return Row(program.name, "DIFFERENT", "unexplained", both(expected, actual))


def both(pyflink: Expectation, wiesel: Expectation) -> str:
    """What the engines did, where it differs."""
    return "\n".join(
        unified_diff(pyflink.text().splitlines(), wiesel.text().splitlines(), "PyFlink", "Wiesel", "", "", 1)
    )


def compare_programs(chosen: Sequence[Program]) -> Iterator[Row]:
    """Run the programs on both engines."""
    explained, by_name = differences(), {program.name: program for program in chosen}
    with live.kafka_for(chosen) as kafka:
        wiesel = dict(live.run_on_wiesel(chosen, kafka))
        for name, pyflink in live.run_on_pyflink(chosen, kafka):
            row = compare(by_name[name], pyflink, wiesel[name], explained.get(name))
            results.keep(name, row.verdict, by_name[name].script)
            yield row


def compare_examples(chosen: Sequence[shipped_examples.Example]) -> Iterator[Row]:
    """Run the wheel's examples on both engines."""
    if not chosen:
        return
    reference = make_reference()
    scripts = shipped_examples.shipped()
    for name in scripts.keys() - {example.name for example in shipped_examples.examples()}:
        yield Row(name, "UNKNOWN", "examples.toml does not say how to run it", "unknown")
    for example in chosen:
        if example.not_run:
            yield Row(example.name, "not run", example.not_run)
            continue
        # Each engine gets a Kafka of its own: both write what they then read.
        with shipped_examples.kafka_for(example):
            pyflink = shipped_examples.run_on_pyflink(example, scripts[example.name], reference)
        with shipped_examples.kafka_for(example):
            wiesel = shipped_examples.run_on_wiesel(example, scripts[example.name])
        expected = example.expectation(pyflink)
        equal = example.agree(expected, wiesel)
        results.keep(example.name, "equal" if equal else "DIFFERENT", scripts[example.name])
        if equal:
            yield Row(example.name, "equal", example.compared)
        else:
            yield Row(example.name, "DIFFERENT", "unexplained", both(expected, example.expectation(wiesel)))


def has_verdict(name: str, script: Path | None) -> bool:
    """Whether an earlier run found this to be equal, or different as explained."""
    verdict = results.verdict_on(name, script) if script else None
    return verdict is not None and not verdict.isupper()


def main() -> int:
    """Print the table; 1 if anything in it is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resume", action="store_true", help="leave out what an earlier run has a verdict on")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    names = options.names
    chosen = [program for program in programs() if not names or program.name in names]
    scripts = [example for example in shipped_examples.examples() if not names or example.name in names]
    if options.resume:
        make_reference()
        shipped = shipped_examples.shipped()
        chosen = [program for program in chosen if not has_verdict(program.name, program.script)]
        scripts = [example for example in scripts if not has_verdict(example.name, shipped.get(example.name))]
    width = max((*(len(program.name) for program in chosen), *(len(example.name) for example in scripts)), default=0)
    rows: list[Row] = []
    for row in chain(compare_programs(chosen), compare_examples(scripts)):
        # At once: a run of minutes that is cut short has said what it found so far.
        print(f"{row.name:{width}}  {row.verdict:9}  {row.why}".rstrip(), flush=True)
        rows.append(row)
    unexplained = [row for row in rows if row.unexplained]
    for row in unexplained:
        print(f"\n{row.name}\n{row.unexplained}")
    print(f"\n{len(rows)} compared, {len(unexplained)} without an explanation")
    return 1 if unexplained or not (rows or options.resume) else 0


if __name__ == "__main__":
    sys.exit(main())
