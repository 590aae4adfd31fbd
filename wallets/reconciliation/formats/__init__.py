"""The files in which statements come, each read into the same lines. Pure: bytes in, dataclasses out, no database."""
