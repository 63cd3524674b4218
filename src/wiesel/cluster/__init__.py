"""Executes a job graph: picks driver, clock, transport and storage, and gives back a handle."""
