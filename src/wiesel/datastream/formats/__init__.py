"""Formats of records, as PyFlink names them (``pyflink.datastream.formats``)."""
