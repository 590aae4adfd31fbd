"""Paystack, API of https://api.paystack.co: amounts in minor units, a recipient before the payout."""
