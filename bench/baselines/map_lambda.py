"""G2 by hand: a loop that calls the same two lambdas."""

import argparse


def main(count: int, every: int) -> None:
    transform = lambda number: number * 3 + 1  # noqa: E731 - the work is to call the user's lambdas
    is_wanted = lambda number: number % every == 0  # noqa: E731
    for number in range(count):
        transformed = transform(number)
        if is_wanted(transformed):
            print(transformed)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--every", type=int, default=1000)
    args = options.parse_args()
    main(args.count, args.every)
