"""The status of each PyFlink name as data, and the import alias that reads it."""
