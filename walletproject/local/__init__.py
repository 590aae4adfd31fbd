"""Runs the whole product on one machine: embedded PostgreSQL and Valkey, web, worker and beat under one supervisor.

For evaluation, development and tests. Nothing here imports Django, and nothing else in the project imports this.
"""
