"""Types print their names.

Covers: S8
"""

from pyflink.common import Types

for info in (
    Types.STRING(),
    Types.BOOLEAN(),
    Types.BYTE(),
    Types.SHORT(),
    Types.INT(),
    Types.LONG(),
    Types.FLOAT(),
    Types.DOUBLE(),
    Types.CHAR(),
    Types.BIG_INT(),
    Types.BIG_DEC(),
    Types.SQL_DATE(),
    Types.SQL_TIME(),
    Types.SQL_TIMESTAMP(),
    Types.INSTANT(),
    Types.PICKLED_BYTE_ARRAY(),
    Types.ROW([Types.INT(), Types.STRING()]),
    Types.ROW_NAMED(["a"], [Types.INT()]),
    Types.TUPLE([Types.INT(), Types.STRING()]),
    Types.MAP(Types.STRING(), Types.INT()),
    Types.LIST(Types.INT()),
    Types.PRIMITIVE_ARRAY(Types.BYTE()),
    Types.BASIC_ARRAY(Types.INT()),
    Types.OBJECT_ARRAY(Types.STRING()),
):
    print(info)
print(Types.ROW([Types.INT()]) == Types.ROW([Types.INT()]), Types.ROW([Types.INT()]) == Types.ROW([Types.LONG()]))
print(Types.ROW([Types.INT()]).get_field_names(), Types.ROW_NAMED(["a"], [Types.INT()]).get_field_types())
