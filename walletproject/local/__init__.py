"""Runs the whole product on one machine: embedded PostgreSQL and Valkey, web, worker and beat under one supervisor.

For evaluation, development and tests. Nothing here imports Django, and of the project only its backups import this:
what they restore has to run somewhere.
"""
