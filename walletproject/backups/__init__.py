"""Backups of the whole server, the WAL between them, and restoring both to a moment, with PostgreSQL's own programs.

What is restored runs under the same care as the embedded server (walletproject.local), and nobody else reaches it.
"""
