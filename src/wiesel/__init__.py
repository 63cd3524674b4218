"""Wiesel runs Apache Flink's Python programs in plain Python."""

__version__ = "0.1.0.dev0"
