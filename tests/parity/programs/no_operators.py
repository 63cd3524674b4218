"""A job without operators is refused.

Covers: S20
"""

from pyflink.datastream import StreamExecutionEnvironment

StreamExecutionEnvironment.get_execution_environment().execute()
