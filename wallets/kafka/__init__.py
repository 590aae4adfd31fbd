"""Usage events from Apache Kafka. confluent-kafka is an extra: nothing else of the product needs it."""
