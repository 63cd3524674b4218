"""G1 by hand: the bare loop over a dict."""

import argparse


def main(count: int, keys: int, every: int) -> None:
    counts: dict[int, int] = {}
    for number in range(count):
        key = number % keys
        counted = counts.get(key, 0) + 1
        counts[key] = counted
        if counted % every == 0:
            print((key, counted))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--keys", type=int, default=20_000)
    options.add_argument("--every", type=int, default=50)
    args = options.parse_args()
    main(args.count, args.keys, args.every)
