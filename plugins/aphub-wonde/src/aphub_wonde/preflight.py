"""What must be so at a school before anything is written, looked at once by each adapter instance."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aphub.api.mis import Finding, at
from aphub_wonde.settings import WondeConnection

Read = Callable[[str], dict[str, Any]]
Rows = Callable[[str], Iterable[Mapping[str, Any]]]


def findings(read: Read, rows: Rows, connection: WondeConnection, school_id: str) -> Iterator[Finding]:
    """Look at the school, its approval and our permissions, one after the other."""
    school = _object(read, f"schools/{school_id}")
    yield Finding("The school answers to its id", ok=True, found="Wonde knows the school", mend="")
    host = at(school, "region.domain")
    ours = connection.region_host.casefold() or connection.host
    yield Finding(
        "This address serves the school",
        ok=not host or str(host).casefold() == ours,
        found=f"Wonde keeps this school's data at {host}" if host else "Wonde names no other address",
        mend=f"Set base_url to https://{host}/v1.0/",
    )
    writable = at(school, "extended.allows_writeback") is True
    yield Finding(
        "The school's system takes marks through Wonde",
        ok=writable,
        found="Write-back is on" if writable else "Write-back is off at this school. Nothing was written.",
        mend="Ask the school to switch write-back on in Wonde",
    )
    meta = _object(read, f"meta/schools/{school_id}")
    for key, good, bad, mend in (
        (
            "approved",
            "The school has approved us",
            "The school has not approved us, or no longer. Nothing was written.",
            "Ask the school's office to approve us in Wonde",
        ),
        (
            "online",
            "The school's system is online",
            "The school's system is not connected to Wonde now. Nothing was written.",
            "Ask the school's IT team to look at the Wonde connection",
        ),
    ):
        fine = meta.get(key) is True
        yield Finding(good, ok=fine, found=good if fine else bad, mend=mend, passing=key == "online")
    lacking = _lacking_permissions(rows, connection, school_id)
    yield Finding(
        "Our permissions are approved",
        ok=not lacking,
        found=f"Not approved: {', '.join(lacking)}. Nothing was written." if lacking else "All that we need",
        mend="Ask the school to approve these permissions in Wonde",
    )


def _object(read: Read, path: str) -> dict[str, Any]:
    """Read one object, with or without the envelope `data`."""
    body = read(path)
    data = body.get("data")
    return data if isinstance(data, dict) else body


def _lacking_permissions(rows: Rows, connection: WondeConnection, school_id: str) -> list[str]:
    """Name the permissions that are needed and not approved."""
    approved, lacking = set(), []
    for row in rows(f"meta/schools/{school_id}/permissions"):
        identity = str(row.get("identity") or row.get("name") or "")
        if row.get("approved") is True:
            approved.add(identity)
        elif row.get("optional") is not True:
            lacking.append(identity)
    return lacking + [name for name in connection.permissions if name not in approved and name not in lacking]
