"""Which machines an adapter may talk to: those of the open internet, and those that the operator listed.

A name is no proof: whoever serves it may point it at the inside of our own network. So what is judged is the address
that is really connected to, and connecting uses just the addresses that were judged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from aphub.api.errors import RefusedDeliveryError

Network = IPv4Network | IPv6Network
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv6 clothes of an IPv4 address (RFC 6052 section 2.1)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The private networks in which far sides may be; everywhere else only global addresses are talked to."""

    private_networks: tuple[Network, ...] = ()

    @classmethod
    def to(cls, *networks: str) -> "Reach":
        """Read networks such as `10.1.2.0/24`, or single addresses.

        Raises:
            ValueError: One of them is neither.
        """
        return cls(tuple(ip_network(text.strip()) for text in networks))

    def allows(self, address: str) -> bool:
        """Say whether this address may be talked to; what is no address may not."""
        try:
            found = _undressed(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if any(found in network for network in self.private_networks):
            return True
        return found.is_global and not found.is_multicast and not found.is_reserved

    def only(self, host: str, addresses: Iterable[str]) -> list[str]:
        """Give those of a host's addresses that may be talked to, in their order.

        Raises:
            RefusedDeliveryError: It has addresses, and none of them may be.
        """
        found: Sequence[str] = list(dict.fromkeys(addresses))
        allowed = [address for address in found if self.allows(address)]
        if found and not allowed:
            raise RefusedDeliveryError(
                f"{host} is at {found[0]}, inside a private network. We have not sent anything.",
                code="private address",
                what_now="If it is right, list its network as private_networks in hub.toml",
            )
        return allowed


def _undressed(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Give the IPv4 address inside an IPv6 one, where it is only carried by it."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
