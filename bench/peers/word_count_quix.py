"""Word count with Quix Streams: records come keyed by their word, so that no repartition topic is needed."""

import argparse
import tempfile

from quixstreams import Application, State


def count(event: dict, state: State) -> dict:
    counted = state.get("count", 0) + 1
    state.set("count", counted)
    return {"word": event["word"], "count": counted}


def main(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        app = Application(
            broker_address=args.bootstrap,
            consumer_group=f"quix-{args.output}",
            auto_offset_reset="earliest",
            auto_create_topics=False,
            use_changelog_topics=False,  # no state that would survive the disk: less work than the others do
            state_dir=directory,
            processing_guarantee="exactly-once" if args.exactly_once else "at-least-once",
            commit_interval=1.0,
            loglevel="ERROR",
        )
        events = app.topic(args.input, key_deserializer="str", value_deserializer="json")
        counts = app.topic(args.output, key_serializer="str", value_serializer="json")
        app.dataframe(events).apply(count, stateful=True).to_topic(counts)
        app.run(count=args.count, collect=False)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--input", required=True)
    options.add_argument("--output", required=True)
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--exactly-once", action="store_true")
    main(options.parse_args())
