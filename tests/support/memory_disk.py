"""Where the disk of the public test kit was."""

from wiesel.testing.memory_disk import MemoryAppendFile, MemoryDisk

__all__ = ["MemoryAppendFile", "MemoryDisk"]
