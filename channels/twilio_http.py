"""The line to Twilio: the library's own HTTP client logs whole messages and cannot post JSON."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

API_URL = "https://api.twilio.com"

# Connecting has a limit of its own: a call that was never made may be made again.
TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]
    """Twilio's requests over our session; another `api_url` stands for all of its hosts (the simulator, a test)."""

    def __init__(
        self, session: aiohttp.ClientSession, api_url: str = API_URL, timeout: aiohttp.ClientTimeout = TIMEOUT
    ):
        super().__init__(None, True, None)
        self._session = session
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Raises aiohttp.ClientError and TimeoutError."""
        as_json = (headers or {}).get("Content-Type") == "application/json"
        async with self._session.request(
            method,
            self._address(url),
            params=_pairs(params),
            json=data if as_json else None,
            data=None if as_json else _pairs(data),
            headers=dict(headers or {}) | ({"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}),
            timeout=self._timeout,
            allow_redirects=allow_redirects,
        ) as response:
            return Response(response.status, await response.text(), response.headers)

    async def download(self, url: str, auth: tuple[str, str], most: int) -> bytes | None:
        """The bytes at an address of Twilio's; nothing where it has none, or more than `most`, None where it is ill.

        Its answer may lead elsewhere: aiohttp takes our credentials off for another host. Raises aiohttp.ClientError
        and TimeoutError.
        """
        headers = {"Authorization": aiohttp.encode_basic_auth(*auth)}
        async with self._session.get(self._address(url), headers=headers, timeout=self._timeout) as response:
            if response.status != 200:
                return None if response.status == 429 or response.status >= 500 else b""
            content = b""
            async for chunk in response.content.iter_chunked(65_536):
                content += chunk
                if len(content) > most:
                    return b""
            return content

    def _address(self, url: str) -> str:
        if self._api_url in ("", API_URL):
            return url
        parts = urlsplit(url)
        return f"{self._api_url}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _pairs(fields: Mapping[str, Any] | None) -> list[tuple[str, str]] | None:
    """A list of values is a field that is sent several times (`MediaUrl`)."""
    if fields is None:
        return None
    return [
        (name, str(each)) for name, value in fields.items() for each in (value if isinstance(value, list) else [value])
    ]
