"""What needs two people: a deed is asked for by one, and done when another one approves it.

Each deed is a value that says what shall be done, on what it rests, and how to do it. `ask` stores it, `decide` does
it, and PostgreSQL refuses to let the two be the same person.
"""
