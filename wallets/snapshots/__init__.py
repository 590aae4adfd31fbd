"""Balance sync: what providers hold for us is read, kept, and held against our books. Nothing here moves money."""
