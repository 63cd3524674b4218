"""Word count with Pathway, one worker; it writes a word's count once a commit, not once a record, and never ends."""

import argparse

import pathway as pw


class Event(pw.Schema):
    word: str


def main(args: argparse.Namespace) -> None:
    settings = {
        "bootstrap.servers": args.bootstrap,
        "group.id": f"pathway-{args.output}",
        "auto.offset.reset": "earliest",
        "session.timeout.ms": "6000",
    }
    events = pw.io.kafka.read(settings, args.input, format="json", schema=Event, autocommit_duration_ms=100)
    counts = events.groupby(events.word).reduce(events.word, count=pw.reducers.count())
    pw.io.kafka.write(counts, {"bootstrap.servers": args.bootstrap, "linger.ms": "20"}, args.output, format="json")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--input", required=True)
    options.add_argument("--output", required=True)
    options.add_argument("--count", type=int)
    main(options.parse_args())
