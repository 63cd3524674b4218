"""Finds a Java runtime and the pinned jars that the local broker and a real Flink are launched with."""
