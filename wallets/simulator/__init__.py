"""Paystack, Flutterwave and Fincra on this machine, over HTTP: what the adapters are developed and tested against.

It is another company as far as the product knows: nothing of the product is imported here, and they share no state.
"""
