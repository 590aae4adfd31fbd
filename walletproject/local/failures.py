"""The one error of this package: something a person must read and act on."""


class CannotRun(Exception):
    """Starting or going on is impossible; the text says why and what to do."""
