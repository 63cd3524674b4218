"""Apache Kafka: source, sink and the exactly-once protocol between them."""
