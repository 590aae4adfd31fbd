"""A copy of all usage events in ClickHouse, for questions about years. clickhouse-connect is an extra."""
