"""The part of pyflink.table that formats need; SQL comes later."""
