"""What is wrong with the ground the hub stands on, in words: its disk, its database, its open files.

A stage that fails for one of these has undone what it had not finished, and is tried again by itself.
"""

import errno
import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError

from aphub.domain.errors import AphubError

_KEPT = "What was not finished was undone; nothing that was written down is lost."
_BY_ITSELF = "A running hub then goes on by itself, and what is late says so."


class GroundError(AphubError):
    """The machine or its database lets the hub down."""


def ground_trouble(exc: BaseException) -> GroundError | None:
    """Give the words for a failure of disk, database or open files; None where it is something else.

    Codes: sqlite.org/rescode.html, PostgreSQL appendix A, errno(3).
    """
    seen: BaseException | None = exc
    while seen is not None:
        kind = _kind(seen)
        if kind is not None:
            what, mend = _WORDS[kind]
            return GroundError(what, _KEPT, f"{mend} {_BY_ITSELF}")
        # SQLite has rolled back by itself when its disk fails; the error of our own roll-back hides that one.
        seen = seen.__cause__ or seen.__context__
    return None


def _kind(exc: BaseException) -> str | None:
    if isinstance(exc, DBAPIError):
        original = exc.orig
        if isinstance(original, sqlite3.Error):
            return _SQLITE.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
        return _postgresql(original, lost=exc.connection_invalidated)
    if isinstance(exc, OSError):
        return _SYSTEM.get(exc.errno or 0)
    return None


def _postgresql(original: Any, *, lost: bool) -> str | None:
    state = getattr(original, "sqlstate", None) or ""
    if state in _STATES:
        return _STATES[state]
    # No code at all: the server did not live to give one, or could not be reached.
    unreachable = not state and type(original).__name__ == "OperationalError"
    return "away" if lost or unreachable or state[:2] in {"08", "57"} else None


_SQLITE = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "disk",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_READONLY: "forbidden",
    sqlite3.SQLITE_CANTOPEN: "closed",
}
_STATES = {
    "53100": "full",
    "53200": "busy",
    "53300": "busy",
    "55P03": "locked",
    "58030": "disk",
    "XX001": "damaged",
}
_SYSTEM = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",
    errno.EIO: "disk",
    errno.EROFS: "forbidden",
    errno.EMFILE: "handles",
    errno.ENFILE: "handles",
}
_WORDS = {
    "full": ("The disk is full.", "Make room on it."),
    "disk": ("The disk does not take what we write.", "Make room on it, and look whether it is sound."),
    "locked": ("Another program holds the hub's database.", "Close that program."),
    "damaged": ("The hub's database is damaged.", "Stop the hub and run: aphub restore"),
    "forbidden": (
        "We may not write to the hub's database.",
        "Give its file and folder to the user the hub runs as.",
    ),
    "closed": (
        "The hub's database cannot be opened.",
        "Look whether its folder is there, and whether too many files are open on this machine.",
    ),
    "away": (
        "The database server does not answer.",
        "Look whether PostgreSQL runs and can be reached from here.",
    ),
    "busy": ("The database server has no room for us.", "Give it more memory or more connections."),
    "handles": (
        "Too many files and connections are open on this machine.",
        "Raise the limit (LimitNOFILE= in the unit file), or stop what holds them.",
    ),
}
