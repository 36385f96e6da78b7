"""Which addresses are fetched, and which never.

Two doors, both needed. `check_url` judges the words of an address before anything is looked up. `Policy.refusal` judges the
network address that a name resolved to; the network layer asks it for every connection and connects to the very address it
judged, so a name cannot change between the look and the leap.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import httpx

from bot.sources.faults import Fault, fault

MAX_URL = 2_000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*lines: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(line) for line in lines)


# https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry, sorted by whether a source of
# one's own could live there.
_PRIVATE = _networks(
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7"
)  # fmt: skip
_NEVER = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",  # link-local, and where clouds keep their metadata
    "192.0.0.0/24",  # includes 192.0.0.192, a cloud's metadata
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "100.100.100.200/32",  # metadata inside the range of carriers' NAT
    "168.63.129.16/32",  # a cloud's wire server, public by number only
    "fd00:ec2::/32",  # metadata inside the range of unique local addresses
    "2001::/23",  # Teredo, ORCHID, benchmarking
    "2001:db8::/32",
    "2002::/16",  # 6to4, long retired; carries any IPv4 address
    "2620:4f:8000::/48",
    "3fff::/20",
)
_GLOBAL6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214: the interface part of an address that carries an IPv4 address behind it
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)\Z")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?\.?\Z", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What may be connected to. `allow_private` admits loopback and private networks; link-local, metadata, multicast and reserved never."""

    allow_private: bool = False

    def refusal(self, address: str) -> str | None:
        """Return why a numeric address is refused, or None when it may be connected to. Never raises."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return "is no address"
        return self._refusal(_embedded(parsed))

    def _refusal(self, address: Address) -> str | None:
        if any(address in network for network in _NEVER):
            return "is reserved or link-local"
        if any(address in network for network in _PRIVATE):
            return None if self.allow_private else "is private"
        if address.version == 6 and address not in _GLOBAL6:
            return "is reserved or link-local"
        return None


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for when it is mapped, compatible or translated; else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    low, tunnel = number & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF
    if address in _NAT64 or tunnel in _ISATAP or (number >> 32 == 0 and low > 1):
        return ipaddress.IPv4Address(low)
    return address


def literal(host: str) -> Address | None:
    """Return the address that `host` spells in its one proper form, or None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def check_url(url: str, policy: Policy) -> httpx.URL:
    """Return `url` parsed as the client will use it. Raises SourceError("address") for what is never fetched. Looks nothing up."""
    if len(url) > MAX_URL or "\\" in url or url != url.strip():
        raise fault(Fault.ADDRESS, f"{url[:80]!r} is not a proper web address")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise fault(Fault.ADDRESS, f"{url[:80]!r} is not a proper web address") from error
    if (reason := _unfit(parsed, policy)) is not None:
        raise fault(Fault.ADDRESS, f"{shown(parsed)} {reason}")
    return parsed


def _unfit(url: httpx.URL, policy: Policy) -> str | None:
    host = url.raw_host.decode("ascii", "replace")
    if url.scheme not in ("http", "https"):
        return "is neither http nor https"
    if url.userinfo:
        return "carries a user name"
    if url.port is not None and not 1 <= url.port <= 65_535:
        return "has an impossible port"
    if (address := literal(host)) is not None:
        return policy.refusal(str(address))
    if _NUMBER.match(host.rstrip(".").rpartition(".")[2]):
        return "has a host of digits that is no address"  # the system would read 0x7f.1 and 2130706433 as 127.0.0.1
    return None if _HOST.match(host) else "has no proper host"


def shown(url: httpx.URL) -> str:
    """Return an address for an error text: no user info, no query (which may hold a key), at most 120 characters."""
    port = f":{url.port}" if url.port is not None else ""
    try:
        host = url.host
    except ValueError:  # idna's errors: a host that only looks like an encoded one
        host = url.raw_host.decode("ascii", "replace")
    return f"{url.scheme}://{host}{port}{url.path}"[:120]
