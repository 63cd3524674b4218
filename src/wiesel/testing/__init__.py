"""Public test kit: operator harness, pytest plugin, simulated clock, disk and Kafka, broker fixture."""
