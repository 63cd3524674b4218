"""The local Apache Kafka: resolve, start, stop."""
