"""Paying through other companies: one port, one registry, one folder for each provider."""
