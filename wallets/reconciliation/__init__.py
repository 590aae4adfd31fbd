"""Holding what providers and banks state against our books: import, matching, breaks, and how they are resolved."""
