"""A job whose process, or worker, gets no more memory from the machine: it ends and says so, wherever it was."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.integration.job_process import Workplace
from wiesel.core import exit_codes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's address space")

#: Keeps all it gets on the heap; from the moment it is opened its process may have only so much more.
HOARD = """
import resource
from pathlib import Path
from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ListStateDescriptor

class Hoard(KeyedProcessFunction):
    def open(self, runtime_context):
        self.seen = runtime_context.get_list_state(ListStateDescriptor("seen", Types.PICKLED_BYTE_ARRAY()))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + SPARE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def process_element(self, value, ctx):
        self.seen.add(bytearray(SIZE))
        yield value

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_source(NumberSequenceSource(0, 10**8), WatermarkStrategy.no_watermarks(), "numbers")
numbers.key_by(lambda n: n % 10, key_type=Types.LONG()).process(Hoard()).filter(lambda n: False).print()
env.execute()
"""


@pytest.mark.parametrize("workers", [0, 1], ids=["inline", "worker"])
@pytest.mark.parametrize("size", [1_000, 100_000])
@pytest.mark.parametrize("spare", [1 << 20, 64 << 20], ids=["not even for a thread", "for a while"])
def test_a_process_that_gets_no_more_memory_says_so_whoever_was_refused_it(
    tmp_path: Path, workers: int, size: int, spare: int
) -> None:
    place = Workplace(tmp_path)
    place.script(HOARD.replace("SPARE", str(spare)).replace("SIZE", str(size)))
    settings = ("-c", "execution.checkpointing.interval=50ms", "-c", "execution.checkpointing.dir=checkpoints")
    ended = place.run("--workers", workers, *settings, "-c", "restart-strategy.type=none", "-p", 1, "job.py")
    assert ended.code in (exit_codes.FAILED, exit_codes.STATE)  # of what fails while a checkpoint is taken
    assert ended.last_line.startswith("error: ")
    assert "src/wiesel/" not in ended.err
    assert "no memory left" in ended.last_line and "state.backend.type: rocksdb" in ended.last_line
