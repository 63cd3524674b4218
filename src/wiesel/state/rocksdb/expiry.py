"""Expired state in a database: what is not read again is looked for a little with each batch, round and round.

Flink lets RocksDB's compaction drop it; that filter is native code. Here each access to a state pays for a look at a
few entries, so that all of them are met once while the state is read and written as often as it has entries.
"""

from __future__ import annotations

from typing import Final

from wiesel.state.heap.ttl import Lifetime, Rounds
from wiesel.state.rocksdb.table import RocksDBTable

#: Accesses pay together for a look at so many entries, and for so many more at most in one go.
_AT_ONCE: Final = 1000
_MOST_AT_ONCE: Final = 4000


class Accesses:
    """Counts accesses to an expiring state; to the state it looks like the heap's sweeper.

    Args:
        lifetime: when entries are over.
        entries: how many to look at for each access; 0 for none.
    """

    def __init__(self, lifetime: Lifetime, entries: int) -> None:
        self.lifetime = lifetime
        self._entries = entries
        self._rounds = Rounds(lifetime)
        self._due = 0
        self._position = b""

    def sweep(self, times: int = 1) -> None:
        """Note accesses."""
        self._due += self._entries * times

    def look(self, table: RocksDBTable) -> None:
        """Look at the entries that are due; only between batches.

        The cache stays as it is: what has expired is not seen there either, and what has changed there is written
        later, whatever becomes of the older value in the database.
        """
        if self._due < _AT_ONCE:
            return
        if not self._rounds.goes_on():
            self._due = 0
            return
        count = min(self._due, _MOST_AT_ONCE)
        self._due -= count
        self._position = table.remove_where(self.lifetime.survivor, self._position, count)
        if self._position == b"":
            self._rounds.end()
