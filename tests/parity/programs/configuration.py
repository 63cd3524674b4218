"""A Configuration keeps text, and an environment takes it over.

Covers: configuration
"""

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

configuration = Configuration()
configuration.set_string("a", "b").set_integer("i", 7).set_boolean("yes", True).set_float("f", 1.5)
print(configuration.get_string("a", "x"), configuration.get_string("missing", "x"), configuration.get_integer("i", 0))
print(configuration.get_boolean("yes", False), configuration.get_float("f", 0.0), configuration.contains_key("a"))
print(sorted(configuration.key_set()), sorted(configuration.to_dict().items()))
env = StreamExecutionEnvironment.get_execution_environment()
settings = Configuration()
settings.set_string("parallelism.default", "3")
settings.set_string("pipeline.auto-watermark-interval", "50 ms")
env.configure(settings)
print(env.get_parallelism(), env.get_config().get_auto_watermark_interval())
