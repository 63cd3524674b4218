"""CSV files are read into rows by their schema.

Covers: files
Order: any
"""

import pathlib

from pyflink.common import WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSource
from pyflink.datastream.formats.csv import CsvReaderFormat, CsvSchema

file = pathlib.Path("input.csv").absolute()
file.write_text('1,one\n2,"two, and more"\n')

schema = CsvSchema.builder().add_number_column("id").add_string_column("name").build()
env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), file.as_uri()).build()
env.from_source(source, WatermarkStrategy.no_watermarks(), "csv").map(repr).print()
env.execute()
