"""Fincra's face: major numbers that may come as text, two shapes of errors, money locked while a payout is pending."""
