"""Flutterwave, version 3 of its API: amounts in major units, references that may not be unique, unsigned webhooks."""
