"""W3 by hand: the bare loop over a dict, which is the expected answer too."""

import argparse
from collections.abc import Callable


def key_function(keys: int, zipf: bool) -> Callable[[int], int]:
    """Scatters numbers over the keys, evenly or by Zipf's law with exponent 1.1."""
    if not zipf:
        return lambda number: number * 2_654_435_761 % keys
    power = -0.1
    scale = keys**power - 1
    return lambda number: int((1 + (number * 2_654_435_761 % 4_294_967_296) / 4_294_967_296 * scale) ** (1 / power)) - 1


def main(args: argparse.Namespace) -> None:
    key_of = key_function(args.keys, args.zipf)
    counts: dict[int, int] = {}
    for number in range(args.count):
        key = key_of(number)
        count = counts.get(key, 0) + 1
        counts[key] = count
        if number % args.every == 0:
            print(f"{number} {count}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--keys", type=int, required=True)
    options.add_argument("--zipf", action="store_true")
    options.add_argument("--every", type=int, default=1000, help="print what this divides")
    main(options.parse_args())
