"""ARCHITECTURE.md tells where a record passes; this runs one job and watches whether it does."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from wiesel.common import Types, WatermarkStrategy
from wiesel.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ValueStateDescriptor

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "wiesel"
STEP = re.compile(r"^\| \d+ \| `([^`]+\.py)` `([^`]+)` \|", re.MULTILINE)


class Count(KeyedProcessFunction):
    """Counts the records of each key."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        self.count.update((self.count.value() or 0) + 1)
        yield (value, self.count.value())


def told_steps() -> list[tuple[str, str]]:
    return STEP.findall((ROOT / "ARCHITECTURE.md").read_text())


def walked_steps() -> list[tuple[str, str]]:
    """Return the engine's functions in the order in which a small job enters them."""
    entered: list[tuple[str, str]] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(SOURCE)):
            place = str(Path(frame.f_code.co_filename).relative_to(SOURCE))
            entered.append((place, frame.f_code.co_qualname))

    sys.setprofile(watch)
    try:
        env = StreamExecutionEnvironment.get_execution_environment()
        env.set_parallelism(1)
        numbers = env.from_source(NumberSequenceSource(1, 3), WatermarkStrategy.no_watermarks(), "numbers")
        numbers.map(lambda n: n * 10).key_by(lambda n: n % 20).process(Count()).print()
        env.execute("follow one record")
    finally:
        sys.setprofile(None)
    return entered


def test_a_record_passes_the_places_that_architecture_tells_in_that_order(capsys: pytest.CaptureFixture[str]) -> None:
    told, walked = told_steps(), walked_steps()
    assert len(told) >= 15
    position = 0
    for step in told:
        assert step in walked[position:], f"ARCHITECTURE.md tells of {step}, where no record passes then"
        position = walked.index(step, position) + 1
    assert capsys.readouterr().out.splitlines() == ["(10, 1)", "(20, 1)", "(30, 2)"]


def test_architecture_is_one_page() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 90


def test_every_file_that_architecture_names_exists() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", (ROOT / "ARCHITECTURE.md").read_text())
    gone = [name for name in named if not (SOURCE / name).exists() and not (ROOT / name).exists()]
    assert not gone
