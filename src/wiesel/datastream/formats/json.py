"""JSON schemas of rows (``pyflink.datastream.formats.json``)."""

from __future__ import annotations

from wiesel.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema

__all__ = ["JsonRowDeserializationSchema", "JsonRowSerializationSchema"]
