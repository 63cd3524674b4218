"""Types of columns (``pyflink.table.types``), as far as formats need them."""

from __future__ import annotations

from wiesel.core.data_types import ArrayType, AtomicType, DataType, DataTypes, MapType, RowField, RowType
from wiesel.core.row import Row

__all__ = ["ArrayType", "AtomicType", "DataType", "DataTypes", "MapType", "Row", "RowField", "RowType"]
