"""``DataTypes``: the SQL types by which formats describe their columns (mirrors a part of ``pyflink.table.types``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wiesel.core.types import RowTypeInfo, TypeInformation, Types

__all__ = [
    "ArrayType",
    "AtomicType",
    "DataType",
    "DataTypes",
    "MapType",
    "RowField",
    "RowType",
    "row_type_info",
]


class DataType:
    """A column's type.

    Args:
        nullable: whether the column may hold None.
    """

    def __init__(self, nullable: bool = True) -> None:
        self._nullable = nullable

    def type_info(self) -> TypeInformation:
        """Return the type that values of the column have in a stream."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{self._text()}{'' if self._nullable else ' NOT NULL'}"

    def _text(self) -> str:
        raise NotImplementedError


_ATOMIC = {
    "CHAR": Types.STRING,
    "VARCHAR": Types.STRING,
    "BOOLEAN": Types.BOOLEAN,
    "BINARY": lambda: Types.PRIMITIVE_ARRAY(Types.BYTE()),
    "VARBINARY": lambda: Types.PRIMITIVE_ARRAY(Types.BYTE()),
    "DECIMAL": Types.BIG_DEC,
    "TINYINT": Types.BYTE,
    "SMALLINT": Types.SHORT,
    "INT": Types.INT,
    "BIGINT": Types.LONG,
    "FLOAT": Types.FLOAT,
    "DOUBLE": Types.DOUBLE,
    "DATE": Types.SQL_DATE,
    "TIME": Types.SQL_TIME,
    "TIMESTAMP": Types.SQL_TIMESTAMP,
    "TIMESTAMP_LTZ": Types.INSTANT,
}


class AtomicType(DataType):
    """A type without parts.

    Args:
        name: SQL's name, such as ``VARCHAR``.
        numbers: length, or precision and scale.
        nullable: whether the column may hold None.
    """

    def __init__(self, name: str, numbers: tuple[int, ...] = (), nullable: bool = True) -> None:
        super().__init__(nullable)
        self.name = name
        self.numbers = numbers

    def type_info(self) -> TypeInformation:
        """See the base class."""
        return _ATOMIC[self.name]()

    def _text(self) -> str:
        return f"{self.name}({', '.join(map(str, self.numbers))})" if self.numbers else self.name


class ArrayType(DataType):
    """A list of values of one type."""

    def __init__(self, element_type: DataType, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.element_type = element_type

    def type_info(self) -> TypeInformation:
        """See the base class."""
        return Types.LIST(self.element_type.type_info())

    def _text(self) -> str:
        return f"ARRAY<{self.element_type!r}>"


class MapType(DataType):
    """Keys and values."""

    def __init__(self, key_type: DataType, value_type: DataType, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.key_type = key_type
        self.value_type = value_type

    def type_info(self) -> TypeInformation:
        """See the base class."""
        return Types.MAP(self.key_type.type_info(), self.value_type.type_info())

    def _text(self) -> str:
        return f"MAP<{self.key_type!r}, {self.value_type!r}>"


class RowField:
    """A named column.

    Args:
        name: its name.
        data_type: its type.
        description: a note for readers.
    """

    def __init__(self, name: str, data_type: DataType, description: str | None = None) -> None:
        if not isinstance(data_type, DataType):
            raise TypeError(
                f"DataTypes.FIELD({name!r}, …) takes a data type such as DataTypes.INT(), got {data_type!r}"
            )
        self.name = name
        self.data_type = data_type
        self.description = description

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowField) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"`{self.name}` {self.data_type!r}"


class RowType(DataType):
    """Named columns, in order."""

    def __init__(self, fields: Sequence[RowField] = (), nullable: bool = True) -> None:
        super().__init__(nullable)
        self.fields = list(fields)

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [field.name for field in self.fields]

    def field_names(self) -> list[str]:
        """Return the columns' names."""
        return self.names

    def field_types(self) -> list[DataType]:
        """Return the columns' types."""
        return [field.data_type for field in self.fields]

    def type_info(self) -> RowTypeInfo:
        """See the base class."""
        return Types.ROW_NAMED(self.names, [field.data_type.type_info() for field in self.fields])

    def __iter__(self) -> Iterator[RowField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def _text(self) -> str:
        return f"ROW<{', '.join(map(repr, self.fields))}>"


def row_type_info(row_type: Any, where: str) -> RowTypeInfo:
    """Return the stream's type of a ``DataTypes.ROW(...)``; ``where`` is for the error of anything else."""
    if not isinstance(row_type, RowType):
        raise TypeError(f"{where} takes a DataTypes.ROW([DataTypes.FIELD(name, type), ...]), got {row_type!r}")
    return row_type.type_info()


class DataTypes:
    """Gives the types of columns; every one takes ``nullable``."""

    # SQL's spelling, as in PyFlink.
    # ruff: noqa: N802

    @staticmethod
    def CHAR(length: int, nullable: bool = True) -> DataType:
        """Return text of a fixed length."""
        return AtomicType("CHAR", (length,), nullable)

    @staticmethod
    def VARCHAR(length: int, nullable: bool = True) -> DataType:
        """Return text of a limited length."""
        return AtomicType("VARCHAR", (length,), nullable)

    @staticmethod
    def STRING(nullable: bool = True) -> DataType:
        """Return text."""
        return AtomicType("VARCHAR", (0x7FFFFFFF,), nullable)

    @staticmethod
    def BOOLEAN(nullable: bool = True) -> DataType:
        """Return true or false."""
        return AtomicType("BOOLEAN", (), nullable)

    @staticmethod
    def BINARY(length: int, nullable: bool = True) -> DataType:
        """Return bytes of a fixed length."""
        return AtomicType("BINARY", (length,), nullable)

    @staticmethod
    def VARBINARY(length: int, nullable: bool = True) -> DataType:
        """Return bytes of a limited length."""
        return AtomicType("VARBINARY", (length,), nullable)

    @staticmethod
    def BYTES(nullable: bool = True) -> DataType:
        """Return bytes."""
        return AtomicType("VARBINARY", (0x7FFFFFFF,), nullable)

    @staticmethod
    def DECIMAL(precision: int, scale: int, nullable: bool = True) -> DataType:
        """Return exact numbers with so many digits, ``scale`` of them behind the point."""
        return AtomicType("DECIMAL", (precision, scale), nullable)

    @staticmethod
    def TINYINT(nullable: bool = True) -> DataType:
        """Return whole numbers of 8 bits."""
        return AtomicType("TINYINT", (), nullable)

    @staticmethod
    def SMALLINT(nullable: bool = True) -> DataType:
        """Return whole numbers of 16 bits."""
        return AtomicType("SMALLINT", (), nullable)

    @staticmethod
    def INT(nullable: bool = True) -> DataType:
        """Return whole numbers of 32 bits."""
        return AtomicType("INT", (), nullable)

    @staticmethod
    def BIGINT(nullable: bool = True) -> DataType:
        """Return whole numbers of 64 bits."""
        return AtomicType("BIGINT", (), nullable)

    @staticmethod
    def FLOAT(nullable: bool = True) -> DataType:
        """Return floating-point numbers of 32 bits."""
        return AtomicType("FLOAT", (), nullable)

    @staticmethod
    def DOUBLE(nullable: bool = True) -> DataType:
        """Return floating-point numbers of 64 bits."""
        return AtomicType("DOUBLE", (), nullable)

    @staticmethod
    def DATE(nullable: bool = True) -> DataType:
        """Return days."""
        return AtomicType("DATE", (), nullable)

    @staticmethod
    def TIME(precision: int = 0, nullable: bool = True) -> DataType:
        """Return times of day, with so many digits of a second."""
        return AtomicType("TIME", (precision,), nullable)

    @staticmethod
    def TIMESTAMP(precision: int = 6, nullable: bool = True) -> DataType:
        """Return days and times without a zone, with so many digits of a second."""
        return AtomicType("TIMESTAMP", (precision,), nullable)

    @staticmethod
    def TIMESTAMP_LTZ(precision: int = 6, nullable: bool = True) -> DataType:
        """Return moments, with so many digits of a second."""
        return AtomicType("TIMESTAMP_LTZ", (precision,), nullable)

    @staticmethod
    def ARRAY(element_type: DataType, nullable: bool = True) -> ArrayType:
        """Return lists."""
        return ArrayType(element_type, nullable)

    @staticmethod
    def MAP(key_type: DataType, value_type: DataType, nullable: bool = True) -> MapType:
        """Return maps."""
        return MapType(key_type, value_type, nullable)

    @staticmethod
    def FIELD(name: str, data_type: DataType, description: str | None = None) -> RowField:
        """Return a column of a row."""
        return RowField(name, data_type, description)

    @staticmethod
    def ROW(row_fields: Sequence[RowField] = (), nullable: bool = True) -> RowType:
        """Return rows of named columns."""
        return RowType(row_fields, nullable)
