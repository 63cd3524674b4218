"""The metrics API of pyflink.metrics."""
