"""Ask the name service what it says about mail: texts, mail servers, addresses (dnspython)."""

from dataclasses import dataclass, field
from ipaddress import ip_address

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdata import Rdata
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from aphub.api import Reach

RESERVED = ("example", "example.com", "example.net", "example.org", "invalid", "localhost", "test")
"""Names kept for examples and tests (RFC 2606, RFC 6761): no public name service knows mail of theirs."""
_DNS = 53
_SECONDS = 6.0


class NoAnswerError(Exception):
    """The name service did not answer, or could not: nothing is known, which is not the same as nothing there."""


def is_reserved(domain: str) -> bool:
    """Say whether a domain is kept for examples, so that asking the world about it is of no use."""
    name = domain.lower().rstrip(".")
    return any(name == one or name.endswith(f".{one}") for one in RESERVED)


def server_and_port(text: str) -> tuple[str, int]:
    """Read the address of a name server, such as `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:5353`.

    Raises:
        ValueError: It is none.
    """
    address, port = text, str(_DNS)
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    try:
        ip_address(address)
        number = int(port)
    except ValueError:
        number = 0
    if not 0 < number < 65536:  # noqa: PLR2004 - ports end there
        message = "Give the address of a name server, such as 192.0.2.53 or 192.0.2.53:5353"
        raise ValueError(message)
    return address, number


@dataclass(frozen=True, slots=True)
class Names:
    """One name service: the given server's, or the machine's own."""

    server: str = ""
    reach: Reach = field(default_factory=Reach)
    seconds: float = _SECONDS

    def texts(self, name: str) -> list[str]:
        """Give the TXT records of a name, each put together from its pieces (RFC 7208 section 3.3).

        Raises:
            NoAnswerError: They could not be asked for.
        """
        found = self._ask(name, "TXT")
        return [b"".join(one.strings).decode("utf-8", "replace") for one in found if isinstance(one, TXT)]

    def mail_servers(self, domain: str) -> list[str]:
        """Give the mail servers of a domain, the preferred first; `.` alone means that it takes no mail (RFC 7505).

        Raises:
            NoAnswerError: They could not be asked for.
        """
        found = [one for one in self._ask(domain, "MX") if isinstance(one, MX)]
        ranked = sorted((one.preference, one.exchange.to_text(omit_final_dot=True).lower()) for one in found)
        return [host or "." for _, host in ranked]

    def addresses(self, host: str) -> list[str]:
        """Give the addresses of a host, those of IPv4 first.

        Raises:
            NoAnswerError: They could not be asked for.
        """
        return [one.to_text() for kind in ("A", "AAAA") for one in self._ask(host, kind)]

    def _ask(self, name: str, kind: str) -> list[Rdata]:
        try:
            resolver = self._resolver()
            asked = dns.name.from_text(name)
            answer = resolver.resolve(asked, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return []
        except (dns.exception.DNSException, OSError, ValueError) as exc:
            raise NoAnswerError from exc
        return list(answer.rrset or ())

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.server)
        resolver.lifetime = self.seconds
        if self.server:
            address, resolver.port = server_and_port(self.server)
            resolver.nameservers = self.reach.only("the name server", [address])
        return resolver
