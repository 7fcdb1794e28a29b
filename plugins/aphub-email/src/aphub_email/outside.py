"""Look at both ends from outside: what our domain publishes, what theirs does, and whether the last hop holds."""

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from aphub.api import CheckStep, DeliveryError, Reach, RefusedDeliveryError, Tools
from aphub_email import records, smime
from aphub_email.attested import Attestation, day_words
from aphub_email.names import Names, NoAnswerError, is_reserved
from aphub_email.session import Address, reach, secure
from aphub_email.settings import EmailConnection, EmailRoute
from aphub_email.trust import tls_problem
from aphub_email.wire import LineLostError

_SMTP = 25
_OK = 200
_GONE = frozenset({404, 410})
_LATER = "Try again later; the name service did not answer."
_SECONDS = 10.0
_MOST_SERVERS = 5
_ANEW = "Check it anew, and write the new date."
PROTECTED = "Pupils are protected up to the school's mailbox"


class SaysNoError(Exception):
    """They do not promise what was attested; the words say what was found instead."""


class UnseenError(Exception):
    """It could not be seen now whether they do."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What it takes to look: names, HTTPS, where we may go, and whom we believe about their mail servers."""

    names: Names
    http: Callable[..., httpx.Client]
    reach: Reach
    now: datetime
    port: int = _SMTP
    ca_file: Path | None = None

    @classmethod
    def of(cls, connection: EmailConnection, tools: Tools) -> "Outside":
        """Look by the connection's name server, or the machine's own."""
        return cls(Names(connection.name_server, tools.reach), tools.http, tools.reach, tools.now())

    def steps(self, connection: EmailConnection, route: EmailRoute) -> Iterator[CheckStep]:
        """Give what both domains publish; only what the route was approved on can fail, or an address without mail."""
        ours, theirs = domain_of(connection.from_address), domain_of(route.address)
        for step, found in (
            (f"Our domain {ours} says who may send for it", lambda: records.spf(self.names.texts(ours))),
            *self._signed(connection, ours),
            (
                f"Our domain {ours} protects its name",
                lambda: records.dmarc(self.names.texts(f"_dmarc.{ours}")),
            ),
        ):
            yield self._told(step, found)
        step = f"Their domain {theirs} takes mail"
        try:
            servers = self.names.mail_servers(theirs)
            yield _takes_mail(step, theirs, servers, self.names)
        except NoAnswerError:
            servers = []
            yield CheckStep(step, ok=True, found="not known", mend=_LATER)
        yield self._told(
            f"Their domain {theirs} asks for encryption", lambda: self._policy_words(theirs, servers)
        )
        yield self._told(
            "They hear of encryption that failed",
            lambda: records.tls_reports(self.names.texts(f"_smtp._tls.{theirs}")),
        )
        if route.attestation is not None and route.protection == "attested":
            yield self._last_hop(connection, route.attestation, theirs, servers)
        else:
            yield promised(route, self.now)

    def policy(self, domain: str) -> records.StsPolicy:
        """Fetch a domain's MTA-STS policy as RFC 8461 section 3.3 has it: verified, no redirect, text/plain.

        Raises:
            SaysNoError: It publishes none, or one that no sender can use.
            UnseenError: It could not be fetched now.
        """
        try:
            known = records.sts_id(self.names.texts(f"_mta-sts.{domain}"))
        except NoAnswerError as exc:
            raise UnseenError("the name service did not answer") from exc
        if not known:
            raise SaysNoError("no MTA-STS policy")
        url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
        try:
            with self.http(
                resolve=self._resolve, most_bytes=records.LONGEST_POLICY, timeout=_SECONDS
            ) as client:
                answer = client.get(url)
        except (httpx.HTTPError, RefusedDeliveryError) as exc:
            why = (
                "its certificate does not hold"
                if tls_problem(exc) is not None
                else "it could not be fetched now"
            )
            raise UnseenError(f"an MTA-STS policy is announced, and {why}") from exc
        if answer.status_code in _GONE:
            raise SaysNoError("an MTA-STS policy is announced, and it is not there")
        if answer.status_code != _OK or not answer.headers.get("Content-Type", "").startswith("text/plain"):
            raise UnseenError(
                "an MTA-STS policy is announced, and their server does not give it as it should"
            )
        try:
            return records.sts_policy(answer.text)
        except ValueError as exc:
            raise SaysNoError(f"an MTA-STS policy that no sender can use: {exc}") from exc

    def encrypts(self, connection: EmailConnection, host: str) -> str:
        """Connect to a mail server as a sender does, verify it, and go; say what encrypts it.

        Raises:
            DeliveryError: It does not encrypt, or is not who it says, or could not be reached.
        """
        try:
            found = self.reach.only(host, self.names.addresses(host))
        except NoAnswerError:
            found = []
        changed = {"host": host, "port": self.port, "security": "starttls", "ca_file": self.ca_file}
        there = connection.model_copy(update={**changed, "timeout": min(connection.timeout, _SECONDS)})
        addresses: list[Address] = [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, (one, self.port)) for one in found
        ]
        wire = reach(there, addresses)
        try:
            proof = secure(there, wire).proof
        except LineLostError as exc:
            raise UnseenError("it stopped answering") from exc
        finally:
            wire.goodbye()
        return f"{proof.spoken_version} to {host}, vouched for by {proof.issuer}"

    def _resolve(self, host: str, _port: int) -> list[str]:
        try:
            return self.names.addresses(host)
        except NoAnswerError as exc:
            raise OSError(host) from exc

    def _told(self, step: str, found: Callable[[], records.Finding]) -> CheckStep:
        try:
            finding = found()
        except NoAnswerError:
            return CheckStep(step, ok=True, found="not known", mend=_LATER)
        return CheckStep(step, ok=True, found=finding.found, mend=finding.mend)

    def _signed(
        self, connection: EmailConnection, domain: str
    ) -> Iterator[tuple[str, Callable[[], records.Finding]]]:
        step = f"Our domain {domain} signs its mail"
        if not connection.dkim_selectors:
            missing = records.Finding(
                "not looked up: nobody has told us the selector", "Ask your IT team, and set dkim_selectors"
            )
            yield step, lambda: missing
        for one in connection.dkim_selectors:
            yield step, lambda one=one: records.dkim(one, self.names.texts(f"{one}._domainkey.{domain}"))  # type: ignore[misc]

    def _policy_words(self, domain: str, servers: Sequence[str]) -> records.Finding:
        try:
            return records.sts(self.policy(domain), servers)
        except (SaysNoError, UnseenError) as exc:
            mend = "" if isinstance(exc, UnseenError) else "Their IT team can publish MTA-STS in mode enforce"
            return records.Finding(str(exc), mend)

    def _last_hop(
        self, connection: EmailConnection, said: Attestation, domain: str, servers: Sequence[str]
    ) -> CheckStep:
        """Compare what was attested with what is there; `stops` where they contradict each other."""
        if why := said.why_not(self.now):
            return CheckStep(PROTECTED, ok=False, found=why, mend=_ANEW)
        what = f"{said.what} (checked {day_words(said.on)}, holds until {day_words(said.ends)})"
        try:
            if said.kind == "mta-sts":
                seen = self._enforced(domain, servers)
            elif said.kind == "direct":
                seen = self._direct(connection, servers)
            else:
                seen = f"vouched for by {said.by}; nobody outside can see it"
        except SaysNoError as exc:
            mend = "Names must not go this way. Choose protection file or smime until it is mended."
            return CheckStep(PROTECTED, ok=False, found=f"attested, but now {exc}", mend=mend, stops=True)
        except (UnseenError, NoAnswerError) as exc:
            return CheckStep(
                PROTECTED, ok=False, found=f"attested, but not seen: {exc}", mend="Try again later."
            )
        return CheckStep(PROTECTED, ok=True, found=f"{seen}. {what}")

    def _enforced(self, domain: str, servers: Sequence[str]) -> str:
        policy = self.policy(domain)
        if not servers:
            raise UnseenError("their mail servers are not known")
        finding = records.sts(policy, servers)
        # A sender that keeps to the policy leaves out servers that it does not name (RFC 8461 section 5).
        if policy.mode != "enforce" or not any(policy.lets(server) for server in servers):
            raise SaysNoError(finding.found)
        return finding.found

    def _direct(self, connection: EmailConnection, servers: Sequence[str]) -> str:
        if connection.host.lower() in servers:
            return f"we hand over to their mail server {connection.host} ourselves"
        if not servers:
            raise UnseenError("their mail servers are not known")
        seen = []
        for host in servers[:_MOST_SERVERS]:
            try:
                seen.append(self.encrypts(connection, host))
            except DeliveryError as exc:
                # What a server itself refuses has its code; without one, it does not encrypt or is not who it says.
                if isinstance(exc, RefusedDeliveryError) and not exc.code:
                    raise SaysNoError(exc.words) from exc
                raise UnseenError(exc.words) from exc
        return "; ".join(seen)


def domain_of(address: str) -> str:
    """Give what stands after the @."""
    return address.rpartition("@")[2].lower()


def look_outside(connection: EmailConnection, route: EmailRoute, tools: Tools) -> Iterator[CheckStep]:
    """Give the steps about both domains; for names that are kept for examples, say that nobody was asked."""
    names = (domain_of(connection.from_address), domain_of(route.address))
    if not connection.name_server and (kept := next((one for one in names if is_reserved(one)), "")):
        found = f"nobody was asked: {kept} is a name for examples"
        yield CheckStep("The domains at both ends are looked up", ok=True, found=found)
        yield promised(route, tools.now())
        return
    yield from Outside.of(connection, tools).steps(connection, route)


def promised(route: EmailRoute, now: datetime) -> CheckStep:
    """Say how pupils in the message are protected beyond the first mail server, where nobody was asked about it."""
    said = route.attestation
    if route.protection == "smime":
        why = next(iter(route.complaints(now)), "")
        until = f"signed by us, and locked to their certificate until {day_words(route.reader.not_valid_after_utc)}"
        found = why or f"{until}; its SHA-256 is {smime.fingerprint(route.reader)}"
        return CheckStep(PROTECTED, ok=not why, found=found, mend="Ask them for the new one." if why else "")
    if route.protection != "attested" or said is None:
        found = "initials in the message, full rows in a file with the school's password"
        return CheckStep(PROTECTED, ok=True, found=found)
    if why := said.why_not(now):
        return CheckStep(PROTECTED, ok=False, found=why, mend=_ANEW)
    return CheckStep(PROTECTED, ok=True, found=f"attested on {day_words(said.on)}: {said.what}")


def _takes_mail(step: str, domain: str, servers: Sequence[str], names: Names) -> CheckStep:
    mend = "Check the address with the school."
    if "." in servers:
        return CheckStep(step, ok=False, found="it says that it takes none", mend=mend)
    if servers:
        return CheckStep(step, ok=True, found=", ".join(servers[:_MOST_SERVERS]))
    if names.addresses(domain):
        return CheckStep(step, ok=True, found="no mail server is named; the domain's own address takes it")
    return CheckStep(step, ok=False, found="it has no mail server", mend=mend)
