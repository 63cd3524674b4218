"""A sink of one's own, exactly once: the records of a checkpoint become one transaction of SQLite.

    wiesel run examples/own_sink.py --database results.db --count 1000

The writer hands the records of each checkpoint to the checkpoint itself; when it is complete, the committer writes them
together with its number, so that a commit that is repeated after a failure finds that it was made.
"""

import argparse
import sqlite3
from contextlib import closing

from wiesel.common import WatermarkStrategy
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.connectors.own import Committable, PlainSink, SimpleWriter, Sink


class TableSink(PlainSink):
    """The spec: data only, because it is part of the job graph."""

    transactional = True

    def __init__(self, database):
        self.database = database

    def create_writer(self, context, state):
        return TableWriter(context)

    def create_committer(self, context):
        return TableCommitter(self.database)


class TableWriter(SimpleWriter):
    def __init__(self, context):
        self._records = []
        super().__init__(self._records.append)
        self._context = context

    def prepare_commit(self, checkpoint_id):
        records, self._records[:] = list(self._records), []
        name = f"{self._context.lineage}/{checkpoint_id}/{self._context.subtask}"
        return [Committable(self._context.operator_uid, {"name": name, "records": records})]


class TableCommitter:
    def __init__(self, database):
        self._database = database

    def recover(self, pending, state):
        self.commit(pending)

    def commit(self, committables):
        with closing(sqlite3.connect(self._database, timeout=60)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS results (value INTEGER)")
            db.execute("CREATE TABLE IF NOT EXISTS commits (name TEXT PRIMARY KEY)")
            for committable in committables:
                new = db.execute("INSERT OR IGNORE INTO commits VALUES (?)", (committable.data["name"],)).rowcount
                if new:
                    db.executemany("INSERT INTO results VALUES (?)", [(r,) for r in committable.data["records"]])

    def snapshot(self):
        return {}

    def close(self):
        pass


def main(args):
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(50)
    numbers = env.from_source(NumberSequenceSource(1, args.count), WatermarkStrategy.no_watermarks(), "numbers")
    numbers.map(lambda n: n * n).sink_to(Sink(TableSink(args.database)))
    env.execute("Own sink")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", required=True)
    options.add_argument("--count", type=int, default=1000)
    main(options.parse_args())
