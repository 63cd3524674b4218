"""Explicit-state models of the exactly-once Kafka sink: the specification of protocol D (docs/adr/0001)."""
