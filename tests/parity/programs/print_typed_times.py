"""Dates, times and timestamps print as java.sql's classes do.

Covers: S6
Order: any
"""

import datetime

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
source = env.from_collection([0])
source.map(lambda _: datetime.date(2024, 2, 29), output_type=Types.SQL_DATE()).print("date")
source.map(lambda _: datetime.time(9, 8, 7), output_type=Types.SQL_TIME()).print("time")
source.map(lambda _: datetime.datetime(2024, 2, 29, 9, 8, 7), output_type=Types.SQL_TIMESTAMP()).print("timestamp")
source.map(lambda _: datetime.datetime(2024, 2, 29, 9, 8, 7, 120000), output_type=Types.SQL_TIMESTAMP()).print("millis")
env.execute()
