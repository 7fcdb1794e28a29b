"""How a stand-in calls an address that it was given: once, late, twice, in another's name, or never."""

import http.client
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

SECONDS = 10.0


@dataclass
class CallsBack:
    """Posts forms to addresses over verified TLS; what it was answered stands in `answers`.

    `never` says nothing at all, `twice` says everything a second time, `forged` says it with another's number first, and
    with `lies` it says that all is written when nothing is.
    """

    authority: str
    never: bool = False
    twice: bool = False
    forged: bool = False
    lies: bool = False
    answers: list[int] = field(default_factory=list)

    def call(self, url: str, said: Mapping[str, str], *, number: str) -> None:
        """Say it, as the mood is; `number` names the field that a forger gets wrong."""
        if self.never:
            return
        if self.forged:
            self.post(url, {**said, number: "0" * 32})
        for _ in range(2 if self.twice else 1):
            self.post(url, said)

    def later(self, seconds: float, url: str, said: Mapping[str, str], *, number: str) -> threading.Timer:
        """Say it after a while, from a thread of its own."""
        timer = threading.Timer(seconds, self.call, (url, said), {"number": number})
        timer.daemon = True
        timer.start()
        return timer

    def post(self, url: str, said: Mapping[str, str]) -> int:
        """Post one form; gives the status, or 0 where nobody was there."""
        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=self.authority)
        line = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=SECONDS, context=context
        )
        try:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            line.request("POST", target, urlencode(dict(said)), kind)
            status = line.getresponse().status
        except OSError:
            status = 0
        finally:
            line.close()
        self.answers.append(status)
        return status
