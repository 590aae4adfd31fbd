"""How a command's examples are shown by its --help: in the lines that they are written in."""

import argparse

from django.core.management.base import DjangoHelpFormatter


class Examples(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's help, with an epilog that isn't filled."""
