"""Finds a Java runtime and resolves pinned jars."""
