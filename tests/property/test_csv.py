"""What the CSV schemas write they read again, whatever the text and the characters."""

from __future__ import annotations

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.common import Row, Types
from wiesel.datastream.formats.csv import CsvRowDeserializationSchema, CsvRowSerializationSchema

TYPE = Types.ROW_NAMED(["a", "n", "b", "l"], [Types.STRING(), Types.LONG(), Types.STRING(), Types.LIST(Types.LONG())])
# Surrogates are no text, and NUL is none that Python's csv reads.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40) | st.text(
    "ab\"',;|\\\n\r# n", max_size=30
)
LONGS = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, LONGS, TEXTS, st.lists(LONGS, max_size=3)), min_size=1, max_size=3),
    st.sampled_from([",", ";", "|", "\t"]),
    st.sampled_from(['"', "'"]),
    st.sampled_from([None, "\\"]),
)
def test_rows_are_read_as_they_were_written(rows, separator, quote, escape):
    writer = CsvRowSerializationSchema.Builder(TYPE).set_field_delimiter(separator).set_quote_character(quote)
    reader = CsvRowDeserializationSchema.Builder(TYPE).set_field_delimiter(separator).set_quote_character(quote)
    for builder in (writer, reader):
        builder.set_array_element_delimiter(":")
        if escape is not None:
            builder.set_escape_character(escape)
    write, read = pickle.loads(pickle.dumps(writer.build())), pickle.loads(pickle.dumps(reader.build()))
    for values in rows:
        assert read.deserialize(write.serialize(Row(*values))) == Row("a", "n", "b", "l")(*values)
