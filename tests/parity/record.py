"""Records what the real PyFlink does with the programs and its examples: what ``make test`` compares Wiesel with.

    python -m tests.parity.record [NAME ...]

A name is a program's or an example's; without names everything is run, in some minutes. The environment is made on
first use (``reference.py``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.parity import examples, live
from tests.parity.catalog import RECORDINGS, Expectation, Program, programs
from tests.parity.reference import make_reference


def main() -> int:
    """Write the recordings; the exit code tells whether every program could be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names
    chosen = [program for program in programs() if not names or program.name in names]
    # Those with Kafka are compared live only: they want it at its usual port.
    recordable = [example for example in examples.examples() if not (example.not_run or example.topics)]
    scripts = [example for example in recordable if not names or example.name in names]
    lost = {*names} - {program.name for program in chosen} - {example.name for example in scripts}
    lost |= record_programs(chosen)
    record_examples(scripts)
    if lost:
        print(f"not recorded: {', '.join(sorted(lost))}", file=sys.stderr)
    return 1 if lost else 0


def record_programs(chosen: Sequence[Program]) -> set[str]:
    """Write the recordings of these programs; the names of those that PyFlink did not survive are returned."""
    by_name, lost = {program.name: program for program in chosen}, set()
    with live.kafka_for(chosen) as kafka:
        for name, outcome in live.run_on_pyflink(chosen, kafka):
            if outcome is None:
                lost.add(name)
                continue
            recorded = Expectation.of(outcome, ordered=by_name[name].ordered)
            (RECORDINGS / f"{name}.txt").write_text(recorded.text())
    return lost


def record_examples(chosen: Sequence[examples.Example]) -> None:
    """Write the recordings of these examples."""
    reference = make_reference()
    scripts = examples.shipped()
    for example in chosen:
        outcome = examples.run_on_pyflink(example, scripts[example.name], reference)
        example.recording.parent.mkdir(parents=True, exist_ok=True)
        example.recording.write_text(example.expectation(outcome).text())


if __name__ == "__main__":
    sys.exit(main())
