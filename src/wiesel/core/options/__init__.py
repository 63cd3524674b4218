"""Flink's configuration keys as data, how their values are read, and the configuration file."""

from wiesel.core.options.check import ConfigurationReport, check_configuration
from wiesel.core.options.config_file import expand_variables, load_config_file
from wiesel.core.options.option import ConfigOption, is_set, optional_value_of, value_of
from wiesel.core.options.parsers import (
    format_map,
    parse_boolean,
    parse_duration,
    parse_list,
    parse_map,
    parse_memory_size,
)

__all__ = [
    "ConfigOption",
    "ConfigurationReport",
    "check_configuration",
    "expand_variables",
    "format_map",
    "is_set",
    "load_config_file",
    "optional_value_of",
    "parse_boolean",
    "parse_duration",
    "parse_list",
    "parse_map",
    "parse_memory_size",
    "value_of",
]
