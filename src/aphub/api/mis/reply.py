"""What a far side said to a write, and how to find something in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

LONGEST_EVIDENCE = 4000


def at(body: Any, path: str) -> Any:
    """Give what stands at a dotted path of a JSON answer, where a number counts in a list; None when nothing does."""
    for step in path.split("."):
        if isinstance(body, Mapping) and step in body:
            body = body[step]
        elif isinstance(body, list) and step.isdecimal() and int(step) < len(body):
            body = body[int(step)]
        else:
            return None
    return body


def verbatim(body: Any) -> str:
    """Give their words as they were, to be sealed; a long answer is cut."""
    return json.dumps(body, ensure_ascii=False)[:LONGEST_EVIDENCE]


@dataclass(frozen=True, slots=True)
class Reply:
    """What they said to a write: status, body word for word, and the way it came."""

    status: int
    text: str = field(repr=False)
    body: Any = field(repr=False)
    hops: str = ""

    @classmethod
    def of(cls, response: httpx.Response) -> "Reply":
        """Read the answer; a body that is no JSON stays text."""
        text = response.content.decode("utf-8", "replace")
        try:
            body: Any = json.loads(response.content)
        except ValueError:
            body = None
        return cls(response.status_code, text[:LONGEST_EVIDENCE], body, hops_of(response))

    @property
    def code(self) -> str:
        """The status, as engineers say it."""
        return f"HTTP {self.status}"

    @property
    def complaint(self) -> bool:
        """Whether a yes by status carries a no inside, in one of the usual ways."""
        if not isinstance(self.body, dict):
            return False
        return self.body.get("success") is False or any(
            self.body.get(key) for key in ("error", "errors", "exception")
        )


def hops_of(response: httpx.Response) -> str:
    """Name the part of the way that was proved encrypted, such as "TLS 1.3 to api.wonde.com"."""
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream is not None else None
    version = secured.version() if secured is not None else None
    return f"{version.replace('TLSv', 'TLS ')} to {response.url.host}" if version else ""
