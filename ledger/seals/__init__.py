"""Sealing closed days, so that whoever changes history afterwards is found out. docs/closing.md has the recipe."""
