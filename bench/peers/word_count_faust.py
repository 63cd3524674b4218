"""Word count with Faust (faust-streaming), one worker, its table in memory; records come keyed by their word."""

import argparse
import sys
import tempfile

import faust

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--bootstrap", required=True)
options.add_argument("--input", required=True)
options.add_argument("--output", required=True)
options.add_argument("--count", type=int)
args = options.parse_args()

app = faust.App(
    f"faust-{args.output}",
    broker=f"kafka://{args.bootstrap}",
    store="memory://",
    topic_partitions=4,
    datadir=tempfile.mkdtemp(),
    consumer_auto_offset_reset="earliest",
    stream_wait_empty=False,
    stream_buffer_maxsize=16_384,
    broker_max_poll_records=5_000,
    producer_linger_ms=20,
    web_enabled=False,
)
events = app.topic(args.input, key_type=bytes, value_serializer="json")
results = app.topic(args.output, value_serializer="json")
counts = app.Table("counts", default=int, partitions=4)


@app.agent(events)
async def count(stream):
    async for event in stream:
        word = event["word"]
        counts[word] += 1
        await results.send(value={"word": word, "count": counts[word]})


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "--loglevel", "warn", "--without-web"]
    app.main()
