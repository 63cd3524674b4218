"""A job whose function raises two calls deep, for what the engines show of it.

wiesel run tests/flink/failing_job.py
"""

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment


def share(total: int, parts: int) -> float:
    return total / parts


def of_ten(parts: int) -> float:
    return share(10, parts)


def main() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([2, 1, 0], Types.INT()).map(of_ten, output_type=Types.DOUBLE()).print()
    env.execute("Failing")


if __name__ == "__main__":
    main()
