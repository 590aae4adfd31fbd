"""Money out: accepted while the client waits, paid by a worker, settled or given back when the bank's word is known."""
