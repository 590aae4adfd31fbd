"""Random interleavings of everything that can happen to a payment, against the simulator's books and a plain tally."""
