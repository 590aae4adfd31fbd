"""Money in through a provider's checkout: wished for, paid somewhere else, and credited when the provider says so."""
