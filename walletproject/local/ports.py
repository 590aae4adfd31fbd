"""Ports on the loopback address that stay the same from one start to the next."""

import socket

from walletproject.local.failures import CannotRun
from walletproject.local.folder import DataFolder


def choose_port(folder: DataFolder, name: str) -> str:
    """The remembered loopback port where it is still free, else a new one, remembered."""
    for candidate in (int(folder.remembered(name) or 0), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return folder.remember(name, str(probe.getsockname()[1]))
    raise CannotRun("No port is free on 127.0.0.1.")
