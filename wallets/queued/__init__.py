"""Money across, later: accepted while the client waits, made by a worker in its turn. The row is the queue."""
