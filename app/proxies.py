"""The network address of a client: the peer's, or what a proxy that we trust says of it."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from aiohttp import web


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
            return peer
        # The last one that no proxy of ours has added: whatever stands before it the client may have made up.
        for hop in reversed([part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]):
            if hop and not believed(hop):
                return hop
        return peer

    return remote
