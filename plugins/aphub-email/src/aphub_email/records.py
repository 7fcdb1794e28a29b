"""Read what a domain publishes about its mail: SPF, DKIM, DMARC, MTA-STS, TLS reports. Texts in, words out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

LONGEST_POLICY = 64 * 1024  # RFC 8461 section 3.3 lets a sender stop there
_LONGEST_AGE = 31_557_600  # RFC 8461 section 3.2
_WORTH_KEEPING = timedelta(weeks=1)
_STS_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_MX_PATTERN = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_WEAKEST_RSA_BASE64 = 200
"""Signs of base64 in a 1024 bit RSA key are 216; fewer is weaker (RFC 8301 wants 1024 at least)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; `mend` where it should be otherwise."""

    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A domain's MTA-STS policy (RFC 8461 section 3.2)."""

    mode: str
    mx: tuple[str, ...]
    max_age: timedelta

    def lets(self, host: str) -> bool:
        """Say whether a mail server's name fits one of the patterns (RFC 8461 section 4.1)."""
        name = host.lower().rstrip(".")
        for one in self.mx:
            pattern = one.lower().rstrip(".")
            if pattern == name or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:]):
                return True
        return False


def spf(texts: Sequence[str]) -> Finding:
    """Say who may send for the domain (RFC 7208)."""
    said = [text for text in texts if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]
    if not said:
        return Finding(
            "no SPF record: anybody's server may claim to send for it",
            "Publish one TXT record that names our mail server and ends in -all",
        )
    if len(said) > 1:
        return Finding(
            f"{len(said)} SPF records, so none counts (RFC 7208 section 4.5)",
            "Put them together into one",
        )
    words = said[0].lower().split()
    last = next((word for word in words if word.lstrip("+-~?") == "all"), "")
    redirected = any(word.startswith("redirect=") for word in words)
    if last in {"all", "+all"}:
        return Finding("SPF lets every server of the world send for it (+all)", "End it in -all")
    if last == "?all" or not (last or redirected):
        return Finding("SPF that says nothing about other servers", "End it in -all")
    return Finding(f"SPF that ends in {last}" if last else "SPF that another domain keeps (redirect)")


def dkim(selector: str, texts: Sequence[str]) -> Finding:
    """Say whether a selector's key is there (RFC 6376 section 3.6.1)."""
    keys = [_tags(text) for text in texts if "p=" in text]
    if not keys:
        return Finding(
            f"no DKIM key under {selector}", "Switch DKIM on for the domain, or correct dkim_selectors"
        )
    tags = keys[0]
    key = re.sub(r"\s", "", tags.get("p", ""))
    if not key:
        return Finding(f"the DKIM key {selector} was withdrawn", "Switch on another, and name its selector")
    kind = tags.get("k", "rsa")
    if kind == "rsa" and len(key) < _WEAKEST_RSA_BASE64:
        return Finding(f"the DKIM key {selector} is shorter than 1024 bits", "Make one of 2048 bits")
    if "y" in tags.get("t", "").split(":"):
        return Finding(f"DKIM key {selector} ({kind}), marked as a trial", "Take t=y out of its record")
    return Finding(f"DKIM key {selector} ({kind})")


def dmarc(texts: Sequence[str]) -> Finding:
    """Say what others are to do with mail that only claims to be ours (RFC 7489)."""
    said = [_tags(text) for text in texts if text.replace(" ", "").lower().startswith("v=dmarc1")]
    if len(said) != 1:
        words = "no DMARC record" if not said else f"{len(said)} DMARC records, so none counts"
        return Finding(words, "Publish one at _dmarc, from p=none at first to p=reject")
    policy = said[0].get("p", "none").lower()
    if policy in {"quarantine", "reject"}:
        return Finding(f"DMARC {policy}")
    return Finding("DMARC that only watches (p=none)", "Go on to p=quarantine, then p=reject")


def sts_id(texts: Sequence[str]) -> str:
    """Give the id of a domain's MTA-STS policy; empty where it publishes none (RFC 8461 section 3.1)."""
    said = [_tags(text) for text in texts if text.replace(" ", "").startswith("v=STSv1;")]
    if len(said) != 1 or not _STS_ID.fullmatch(said[0].get("id", "")):
        return ""
    return said[0]["id"]


def sts_policy(text: str) -> StsPolicy:
    """Read a policy file.

    Raises:
        ValueError: It is none; said in words.
    """
    pairs = [
        (key.strip(), value.strip())
        for key, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    ]
    first = dict(reversed(pairs))  # of a field that stands twice the first counts
    mode, age = first.get("mode", ""), first.get("max_age", "")
    mx = tuple(value for key, value in pairs if key == "mx")
    if first.get("version") != "STSv1":
        message = "it does not begin with version: STSv1"
    elif mode not in {"enforce", "testing", "none"}:
        message = "its mode is none of enforce, testing and none"
    elif not re.fullmatch(r"[0-9]{1,10}", age):
        message = "it has no max_age"
    elif mode != "none" and not mx:
        message = "it names no mail server (mx)"
    elif not all(_MX_PATTERN.fullmatch(one) for one in mx):
        message = "one of its mail servers is no name"
    else:
        return StsPolicy(mode, mx, timedelta(seconds=min(int(age), _LONGEST_AGE)))
    raise ValueError(message)


def sts(policy: StsPolicy, servers: Sequence[str]) -> Finding:
    """Say what a policy means for mail to these servers."""
    days = policy.max_age // timedelta(days=1)
    kept = f"{days} {'day' if days == 1 else 'days'}"
    if policy.mode == "none":
        return Finding("a policy that asks for nothing (mode none)", "Their IT team can set mode: enforce")
    strangers = [server for server in servers if not policy.lets(server)]
    if strangers:
        return Finding(
            f"a policy in mode {policy.mode} that does not name their mail server {strangers[0]}",
            "Their IT team adds it to the policy as mx, or mail will not arrive there",
        )
    if policy.mode == "testing":
        return Finding(
            "a policy that is only being tried (mode testing): mail may still travel unencrypted",
            "Their IT team can set mode: enforce",
        )
    mend = "" if policy.max_age >= _WORTH_KEEPING else "Their IT team can raise max_age to a week or more"
    return Finding(f"a policy in mode enforce for {', '.join(policy.mx)}, kept for {kept}", mend)


def tls_reports(texts: Sequence[str]) -> Finding:
    """Say whether their IT team is told of encryption that failed (RFC 8460)."""
    said = [_tags(text) for text in texts if text.replace(" ", "").startswith("v=TLSRPTv1;")]
    if len(said) == 1 and said[0].get("rua"):
        return Finding("they get reports of encryption that failed")
    return Finding("they get no reports of encryption that failed")


def _tags(text: str) -> dict[str, str]:
    """Read `a=b; c=d`; of a tag that stands twice the first counts."""
    pairs = [
        (key.strip(), value.strip()) for key, _, value in (part.partition("=") for part in text.split(";"))
    ]
    return dict(reversed(pairs))
