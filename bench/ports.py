"""Ports of this machine that nothing listens on."""

import random
import socket

# Below those that systems give to outgoing connections: such a one would be taken, now and then, before it is used.
_OURS = range(20_000, 32_000)


def free_port() -> int:
    while True:
        port = random.choice(_OURS)
        with socket.socket() as found:
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
