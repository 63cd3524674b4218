"""FileSink writes a line for each record into a bucket, finished when a bounded input ends.

Covers: files
Order: any
"""

import pathlib

from pyflink.common import Encoder, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import BucketAssigner, FileSink, OutputFileConfig

folder = pathlib.Path("output").absolute()

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
sink = (
    FileSink.for_row_format(folder.as_uri(), Encoder.simple_string_encoder())
    .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    .with_output_file_config(OutputFileConfig("part", ".txt"))
    .build()
)
env.from_collection(["one", "é"], type_info=Types.STRING()).sink_to(sink)
env.execute()
for file in sorted(folder.rglob("*")):
    print(file.name.startswith("part-"), file.name.endswith("-0.txt"), file.read_text().splitlines())
