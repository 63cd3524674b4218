"""FileSource reads lines of files and of folders; line ends of any kind, the last without one.

Covers: files
Order: any
"""

import pathlib

from pyflink.common import WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

folder = pathlib.Path("input").absolute()
(folder / "below").mkdir(parents=True)
(folder / "a.txt").write_bytes("one\ntwo\r\n\né".encode())
(folder / "below" / "b.txt").write_text("three\n")
(folder / ".hidden").write_text("hidden\n")
(folder / "_hidden").write_text("hidden\n")

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), folder.as_uri()).build()
env.from_source(source, WatermarkStrategy.no_watermarks(), "files").map(repr).print()
env.execute()
