"""The one error of this package: something a person must read and act on."""


class BackupError(Exception):
    """Saving or restoring is impossible; the text says why and what to do."""
