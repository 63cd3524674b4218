"""A script that is stopped, changed and resumed, as a user does it: its state goes on, or the start is refused."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from wiesel.core import exit_codes

WIESEL = Path(sys.executable).with_name("wiesel")
SCRIPT = """
from pyflink.common import Duration, Row, Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat
from pyflink.datastream.state import ValueStateDescriptor

STATES = {states}

class Remember(KeyedProcessFunction):
    def open(self, context):
        self.states = [context.get_state(ValueStateDescriptor(name, kind)) for name, kind in STATES.items()]

    def process_element(self, value, ctx):
        before = [state.value() for state in self.states]
        {update}
        yield f"{{value}}: {{before}}"

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.enable_checkpointing(50)
source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "input")
source = source.monitor_continuously(Duration.of_millis(20)).build()
lines = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines").uid("lines")
lines.key_by(lambda line: line[0]).process(Remember(), Types.STRING()).uid("remember").print().uid("out")
env.execute()
"""
TWO = 'Types.ROW_NAMED(["count", "last"], [Types.INT(), Types.STRING()])'
THREE = 'Types.ROW_NAMED(["count", "last", "first"], [Types.LONG(), Types.STRING(), Types.STRING()])'


class Place:
    """A directory with a job and its input."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "input").mkdir()
        self.files = 0

    def start(self, states: str, update: str) -> subprocess.Popen[str]:
        (self.directory / "job.py").write_text(SCRIPT.format(states=states, update=update))
        return subprocess.Popen(
            [str(WIESEL), "run", "--resume", "job.py"],
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, states: str, update: str, *lines: str) -> list[str]:
        """Let it process these lines and stop it; returns what it printed."""
        self.files += 1
        written = self.directory / "written"
        written.write_text("".join(f"{line}\n" for line in lines))
        written.rename(self.directory / "input" / f"{self.files}.txt")
        with self.start(states, update) as job:
            assert job.stdout is not None
            printed = [job.stdout.readline().rstrip("\n") for _ in lines]
            job.send_signal(signal.SIGINT)
            _, errors = job.communicate(timeout=60)
            assert job.returncode == exit_codes.INTERRUPTED, errors
        return printed


def test_state_goes_on_under_a_changed_script_or_is_refused_by_name(tmp_path: Path) -> None:
    place = Place(tmp_path)
    count = "self.states[0].update(Row(count=(before[0].count if before[0] else 0) + 1, last=value))"
    assert place.run(f'{{"seen": {TWO}}}', count, "a1", "b1", "a2") == [
        "a1: [None]",
        "b1: [None]",
        "a2: [Row(count=1, last='a1')]",
    ]
    # A field more, another wider; the default of a key without state is the new script's.
    fuller = "self.states[0].update(Row(count=before[0].count + 1 if before[0] else 100, last=value, first='?'))"
    assert place.run(f'{{"seen": {THREE}}}', fuller, "a3", "c1", "c2") == [
        "a3: [Row(count=2, last='a2', first=None)]",
        "c1: [None]",
        "c2: [Row(count=100, last='c1', first='?')]",
    ]
    # A type that it cannot become.
    with place.start('{"seen": Types.STRING()}', "pass") as job:
        _, errors = job.communicate(timeout=60)
    assert job.returncode == exit_codes.STATE
    assert "State 'seen' of operator 'KEYED PROCESS' (uid remember) was saved as ValueState of RowTypeInfo(" in errors
    assert "and is ValueState of String in this program" in errors
    # The refused start has changed nothing; a state that is given up for a while is kept.
    assert place.run('{"other": Types.INT()}', "self.states[0].update(1)", "a4") == ["a4: [None]"]
    assert place.run(f'{{"seen": {THREE}, "other": Types.LONG()}}', "pass", "a5", "b2") == [
        "a5: [Row(count=3, last='a3', first='?'), 1]",
        "b2: [Row(count=1, last='b1', first=None), None]",
    ]
