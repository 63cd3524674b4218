"""Where records come from and go to: Kafka, files, collections."""
