"""Runs a script on PyFlink as it is, with settings that `wiesel run -c` would be given.

with_pyflink.py KEY=VALUE … SCRIPT ARGUMENTS …
"""

import runpy
import sys

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

if __name__ == "__main__":
    arguments = sys.argv[1:]
    settings = Configuration()
    while "=" in arguments[0]:
        key, _, value = arguments.pop(0).partition("=")
        settings.set_string(key, value)
    of_flink = StreamExecutionEnvironment.get_execution_environment
    StreamExecutionEnvironment.get_execution_environment = staticmethod(lambda: of_flink(settings))
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
