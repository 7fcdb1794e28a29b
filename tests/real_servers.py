"""Find the real servers that some tests talk to, and say so when a machine has none."""

import os
import shutil
from pathlib import Path

import pytest

NOT_RUN = "not run:"
# Debian keeps servers off a plain user's path.
_ALSO_LOOK_IN = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/lib/postfix/sbin",
    "/usr/lib/openssh",
    "/usr/lib/dovecot",
)


def find_program(name: str) -> Path | None:
    """Find a program on the path, in the folders of servers, or in Debian's newest PostgreSQL."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folders = [*reversed(debian), *os.environ.get("PATH", "").split(os.pathsep), *_ALSO_LOOK_IN]
    found = shutil.which(name, path=os.pathsep.join(str(folder) for folder in folders))
    return Path(found) if found else None


def needs(program: str) -> Path:
    """Give the path of a program, or leave the test out by name; with CI=true its absence is a failure."""
    found = find_program(program)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {program}, which CI must have", pytrace=False)
    pytest.skip(f"{NOT_RUN} needs {program}")
