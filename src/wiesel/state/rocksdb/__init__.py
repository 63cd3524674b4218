"""Keyed state on disk, in RocksDB, under a bounded cache of values (``state.backend.type: rocksdb``)."""
