"""Paystack's face: hundredths as integers, recipients first, and references of 16 to 50 small letters."""
