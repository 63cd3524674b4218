"""What the simulated Kafka must have in common with a real one: the same tests run against both."""
