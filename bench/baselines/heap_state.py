"""G14 by hand: the same keys and values in one dict; prints bytes per key."""

import argparse
import gc
from pathlib import Path


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main(keys: int) -> None:
    values: dict[int, int] = {}
    before = 0
    for number in range(keys):
        values[number] = number + 1_000_000_000
        if number == 10_000:
            before = resident_bytes()
    print(f"{(resident_bytes() - before) / (keys - 10_001):.1f}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--keys", type=int, default=1_000_000)
    main(options.parse_args().keys)
