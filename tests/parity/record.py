"""Records what the real PyFlink does with the programs: what ``make test`` compares Wiesel with.

    python -m tests.parity.record [NAME ...]

Without names all programs are run, in a few minutes. The environment is made on first use (``reference.py``).
"""

from __future__ import annotations

import argparse
import sys

from tests.parity.catalog import RECORDINGS, Expectation, programs
from tests.parity.live import kafka_for, run_on_pyflink


def main() -> int:
    """Write the recordings; the exit code tells whether every program could be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names
    chosen = [program for program in programs() if not names or program.name in names]
    with kafka_for(chosen) as kafka:
        outcomes = run_on_pyflink(chosen, kafka)
    RECORDINGS.mkdir(exist_ok=True)
    for program in chosen:
        if program.name in outcomes:
            recorded = Expectation.of(outcomes[program.name], ordered=program.ordered)
            (RECORDINGS / f"{program.name}.txt").write_text(recorded.text())
    lost = [program.name for program in chosen if program.name not in outcomes]
    if lost:
        print(f"not recorded: {', '.join(lost)}", file=sys.stderr)
    return 1 if lost or len(chosen) < len(names) else 0


if __name__ == "__main__":
    sys.exit(main())
