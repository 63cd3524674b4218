"""`make demo`: a year of real flights through a real Kafka; the job is killed half-way and resumed."""
