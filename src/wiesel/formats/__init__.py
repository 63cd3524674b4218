"""Bytes to values and back: string, JSON, CSV, Avro, Parquet."""
