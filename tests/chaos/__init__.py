"""The kill harness: real jobs on a real broker, killed everywhere; docs/testing.md says what it proves."""
