"""Messages whose schemas lie in a schema registry: Avro, JSON Schema and Protobuf in Confluent's wire format."""
