"""W9 by hand: loops that call the same functions."""

import argparse
import json
from collections.abc import Iterator


def process(value: int) -> Iterator[int]:
    yield value


def main(args: argparse.Namespace) -> None:
    text_of = lambda number: f'{{"n": {number}}}'  # noqa: E731 - the work is to call the user's functions
    number_of = lambda event: event["n"]  # noqa: E731
    both = lambda number: (number, -number)  # noqa: E731
    key_of = lambda number: number % 100  # noqa: E731
    wanted = lambda number: number % 1000 == 0  # noqa: E731
    for number in range(args.count):
        if args.function == "json":
            found = number_of(json.loads(text_of(number)))
            if wanted(found):
                print(found)
        elif args.function == "flat_map":
            for one in both(number):
                if wanted(one):
                    print(one)
        else:
            key_of(number)
            for one in process(number):
                if wanted(one):
                    print(one)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--function", choices=("json", "flat_map", "process"), required=True)
    main(options.parse_args())
