"""Which addresses a webhook may go to: in production never into our own network (server-side request forgery)."""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from core.errors import EffenError

_NAT64 = IPv6Network("64:ff9b::/96")


class Refused(EffenError):
    """This address is not on the public internet."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's; also where it wraps an IPv4 address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in (ip, *_wrapped(ip)))


def _wrapped(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(ip, IPv4Address):
        return []
    inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inner.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    return [each for each in inner if each is not None]


def check(url: str) -> None:
    """Raises Refused for anything but https, for credentials in the address, and for an IP address of our own network.

    A name is looked up when it is called: `PublicResolver`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or not host or parts.username is not None or parts.password is not None:
        raise Refused("a webhook goes to an https:// address without a password in it")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_public(host):
        raise Refused("a webhook goes to a public address")


class PublicResolver(AbstractResolver):
    """Looks names up, and gives nothing but public addresses: what is connected to is what was looked at."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise OSError("not a public address")
        return found

    async def close(self) -> None:
        await self._inner.close()
