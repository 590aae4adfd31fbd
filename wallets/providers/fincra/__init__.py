"""Fincra: amounts in major units as strings, its own list of which errors mean that nothing was paid."""
