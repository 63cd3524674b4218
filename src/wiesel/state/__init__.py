"""Keyed and operator state: backends behind one contract, key groups, snapshots."""
