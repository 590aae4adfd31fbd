"""Flutterwave's face, version 3: major numbers, one call for an order, a webhook that nothing but a word protects."""
