"""As whom PostgreSQL runs: it refuses root, so root lends it a plain user without touching the machine's accounts."""

import ctypes
import os
from enum import Enum
from functools import cache
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PLAIN_ID = 1000
NOBODY_ID = 65534

_libc = ctypes.CDLL(None, use_errno=True)


class Identity(Enum):
    """How a process gets to be somebody other than root."""

    SAME = "the user who started us"
    NAMESPACE = "a plain user in a namespace of its own, who is root outside and owns root's files"
    NOBODY = "the user nobody, where namespaces are forbidden"

    def enter(self) -> None:
        """Become this identity. For a child process between fork and exec."""
        if self is Identity.NAMESPACE:
            _enter_namespace()
        elif self is Identity.NOBODY:
            os.setgroups([])
            os.setgid(NOBODY_ID)
            os.setuid(NOBODY_ID)

    def own(self, path: Path) -> None:
        """Give a file or folder that we made to this identity."""
        if self is Identity.NOBODY:
            os.chown(path, NOBODY_ID, NOBODY_ID)


@cache
def plain_identity() -> Identity:
    """The least intrusive identity that isn't root on this machine."""
    if os.geteuid() != 0:
        return Identity.SAME
    return Identity.NAMESPACE if _namespaces_allowed() else Identity.NOBODY


def open_to_nobody(path: Path) -> bool:
    """Whether a stranger can walk down to this path."""
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents) if parent.exists())


def _enter_namespace() -> None:
    group = os.getegid()
    if _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{PLAIN_ID} 0 1")
    Path("/proc/self/gid_map").write_text(f"{PLAIN_ID} {group} 1")


def _namespaces_allowed() -> bool:
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
