"""Word count with Bytewax, one worker, larger batches than its default."""

import argparse
import json

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main


def main(args: argparse.Namespace) -> None:
    flow = Dataflow("word_count")
    source = KafkaSource([args.bootstrap], [args.input], tail=False, batch_size=10_000)
    messages = op.input("input", flow, source)
    words = op.map("word", messages, lambda message: (json.loads(message.value)["word"], None))

    def count(state: int | None, _: None) -> tuple[int, int]:
        counted = (state or 0) + 1
        return counted, counted

    counted = op.stateful_map("count", words, count)
    encoded = op.map(
        "encode",
        counted,
        lambda pair: KafkaSinkMessage(None, json.dumps({"word": pair[0], "count": pair[1]}).encode()),
    )
    op.output("output", encoded, KafkaSink([args.bootstrap], args.output, add_config={"linger.ms": "20"}))
    cluster_main(flow, [], 0)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--input", required=True)
    options.add_argument("--output", required=True)
    options.add_argument("--count", type=int)
    main(options.parse_args())
