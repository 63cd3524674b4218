"""ORC files (``pyflink.datastream.formats.orc``)."""

from __future__ import annotations

from wiesel.formats.parquet import OrcBulkWriters

__all__ = ["OrcBulkWriters"]
