"""What is killed in the middle of its work, and what is found afterwards."""
