"""`python -m demo`: exit code 0 when the output is right, 1 when anything differs or fails."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from confluent_kafka import KafkaException

from demo import scenario
from demo.job import JobError
from demo.screen import Screen
from wiesel.core import exit_codes
from wiesel.core.errors import WieselError


def main() -> int:
    """Parse the options, run the scenario in a directory of its own, tell the result."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=scenario.__doc__)
    parser.add_argument("--departures", type=int, metavar="N", help="only the year's first N departures")
    parser.add_argument("--checkpoint-interval", type=int, default=250, metavar="MS")
    parser.add_argument("--parallelism", type=int, metavar="P", help="of the job; default: Wiesel's own")
    parser.add_argument("--per-second", type=float, default=20_000, metavar="N", help="flights that leave in a second")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR and leave checkpoints and log there")
    args = parser.parse_args()

    # A supervisor's SIGTERM unwinds like a Ctrl-C, so that neither job nor broker stays behind.
    signal.signal(signal.SIGTERM, terminate)
    screen = Screen()
    options = scenario.Options(args.departures, args.checkpoint_interval, args.per_second, args.parallelism)
    with ExitStack() as stack:
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            directory = args.keep
        else:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wiesel-demo-")))
        try:
            right = scenario.run(screen, directory, options)
        except (JobError, WieselError, KafkaException) as error:
            screen.say(f"failed: {error}")
            return exit_codes.FAILED
        except KeyboardInterrupt:
            screen.say("stopped")
            return exit_codes.INTERRUPTED
    screen.say("right: nothing lost, nothing twice, nothing different" if right else "WRONG, see above")
    return exit_codes.OK if right else exit_codes.FAILED


def terminate(signal_number: int, _frame: FrameType | None) -> None:
    """Turn the signal into an exception."""
    raise SystemExit(exit_codes.for_signal(signal_number))


if __name__ == "__main__":
    sys.exit(main())
