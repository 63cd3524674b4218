"""A source that makes its records from a counter, as fast as told."""
