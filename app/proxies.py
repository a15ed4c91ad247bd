"""The network address of a client: the peer's, or what a proxy that we trust says of it."""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web

# An IPv6 network of this size is one household's or one server's: whoever has it has all of its addresses.
_OWN = 64


def remote_of(trusted: str) -> Callable[[web.BaseRequest], str]:
    """`trusted`: addresses or networks, comma separated, whose X-Forwarded-For is believed."""
    networks = [ip_network(part.strip(), strict=False) for part in trusted.split(",") if part.strip()]

    def believed(address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in networks)
        except ValueError:
            return False

    def remote(request: web.BaseRequest) -> str:
        peer = request.remote or ""
        if not believed(peer):
            return _counted(peer)
        # The last one that no proxy of ours has added: whatever stands before it the client may have made up.
        for hop in reversed([part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]):
            if hop and not believed(hop):
                return _counted(hop)
        return _counted(peer)

    return remote


def _counted(address: str) -> str:
    """What counts as one client: an IPv4 address, or an IPv6 network."""
    try:
        at = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(at, IPv6Address):
        return str(at)
    return str(at.ipv4_mapped or ip_network((at, _OWN), strict=False))
