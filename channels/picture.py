"""Our own pictures, fetched to send their bytes."""

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Pictures:
    """`inner_url` is where we reach ourselves, when not at `public_url` (behind a proxy, in development)."""

    def __init__(self, session: aiohttp.ClientSession, public_url: str, inner_url: str = "") -> None:
        self._session = session
        self._public = public_url.rstrip("/") + "/"
        self._inner = (inner_url or public_url).rstrip("/") + "/"

    async def fetch(self, url: str) -> bytes | None:
        """The picture, or None where it is not ours or cannot be had."""
        if not url.startswith(self._public):
            return None
        try:
            address = self._inner + url.removeprefix(self._public)
            async with self._session.get(address, timeout=_TIMEOUT) as response:
                return await response.read() if response.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None
