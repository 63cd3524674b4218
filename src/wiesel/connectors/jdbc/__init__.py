"""Writes rows to a database through Python's DB-API, under JDBC's names."""
