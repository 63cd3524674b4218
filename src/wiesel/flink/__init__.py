"""Hands the untouched script to a real Apache Flink, and runs one on this machine."""
