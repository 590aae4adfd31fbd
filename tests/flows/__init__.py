"""What a newcomer does with the product, over a real connection, from beginning to end."""
