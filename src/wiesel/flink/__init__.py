"""Hands the untouched script to a real Apache Flink."""
