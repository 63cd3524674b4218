"""Heap state: plain dictionaries in shards, snapshots without pauses."""
