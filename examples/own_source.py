"""A source of one's own: reads a table of SQLite in parallel and goes on after a failure where it was.

    wiesel run examples/own_source.py --database numbers.db

The table is cut into ranges of its row ids, the splits; a split's position is the last id read.
"""

import argparse
import sqlite3
from contextlib import closing

from wiesel.common import WatermarkStrategy
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.own import (
    MIN_TIMESTAMP,
    BoundedSource,
    FixedSplits,
    Source,
    SourceBatch,
    SourceSplit,
    SplitReader,
)

PARTS = 4


class TableSource(BoundedSource):
    """The spec: data only, because it is part of the job graph."""

    def __init__(self, database, table):
        self.database, self.table = database, table

    def create_enumerator(self, context, state):
        with closing(sqlite3.connect(self.database)) as db:
            (last,) = db.execute(f"SELECT max(rowid) FROM {self.table}").fetchone()
        ends = [(last or 0) * part // PARTS for part in range(PARTS + 1)]
        splits = [SourceSplit(f"rows-{i}", {"after": ends[i], "last": ends[i + 1]}) for i in range(PARTS)]
        return FixedSplits(splits, context.parallelism, state)

    def create_reader(self, context):
        return TableReader(self)


class TableReader(SplitReader):
    def __init__(self, spec):
        super().__init__()
        self._db = sqlite3.connect(spec.database)
        self._query = f"SELECT rowid, * FROM {spec.table} WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?"

    def poll(self, max_records):
        if not self._splits:
            return None
        split = self._splits[0]
        rows = self._db.execute(self._query, (split.position["after"], split.position["last"], max_records)).fetchall()
        if rows:
            self._splits[0] = SourceSplit(split.split_id, {**split.position, "after": rows[-1][0]})
        else:
            self._finished.append(self._splits.popleft().split_id)
        return SourceBatch(split.split_id, [row[1:] for row in rows], [MIN_TIMESTAMP] * len(rows))

    def close(self):
        self._db.close()


def main(args):
    env = StreamExecutionEnvironment.get_execution_environment()
    source = Source(TableSource(args.database, args.table))
    env.from_source(source, WatermarkStrategy.no_watermarks(), "table").print()
    env.execute("Own source")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", required=True)
    options.add_argument("--table", default="numbers")
    main(options.parse_args())
