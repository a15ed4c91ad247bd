"""From an HTTP request to a channel's words: verify, parse, hand on, answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from aiohttp import web

from core.errors import BadInput, BadSignature, NotFound
from core.message import Channel, Inbound, Receipt, Webhook

MAX_BODY = 256 * 1024  # bytes; providers send some kilobytes

Accept = Callable[[Inbound | Receipt], Awaitable[None]]


@runtime_checkable
class Replies(Protocol):
    """A channel whose provider reads the answer to its webhook."""

    def reply(self, webhook: Webhook) -> tuple[str, str]:
        """The answer's text and its content type. Pure; called after `parse`."""
        ...


def routes(
    doors: Mapping[str, Sequence[Channel]],
    *,
    public_url: str,
    accept: Accept,
    refused: Callable[[str], None],
    remote: Callable[[web.BaseRequest], str],
) -> list[web.RouteDef]:
    """A POST route for each path, with the channels that share it: each takes what is its own.

    `accept` stores one message or receipt, and raises NotFound for an account that is nobody's; `refused` counts
    requests without a valid signature, by channel: nothing else of them is kept. 403 not signed, 400 unreadable, 404
    unknown account, 413 too large; anything else that goes wrong is a 500, after which providers try again.
    """

    def door(channels: Sequence[Channel]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def take(request: web.Request) -> web.Response:
            try:
                webhook = await read(request, public_url, remote(request))
                items: list[Inbound | Receipt] = []
                for channel in channels:
                    try:
                        channel.verify(webhook)
                    except BadSignature:
                        refused(channel.name)
                        return web.Response(status=403)
                    items += channel.parse(webhook)
                for item in items:
                    await accept(item)
            except BadInput:
                return web.Response(status=400)
            except NotFound:
                return web.Response(status=404)
            first = channels[0]
            text, content_type = first.reply(webhook) if isinstance(first, Replies) else ("", "text/plain")
            return web.Response(text=text, content_type=content_type)

        return take

    return [web.post(path, door(channels)) for path, channels in doors.items() if channels]


async def read(request: web.Request, public_url: str, remote: str, limit: int = MAX_BODY) -> Webhook:
    """The request as its sender signed it: its address is made of PUBLIC_URL, never of what the Host header says."""
    if not request.raw_path.startswith("/"):
        raise BadInput("The request's target is not a path.")
    return Webhook(
        method=request.method,
        url=public_url.rstrip("/") + request.raw_path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await body_of(request, limit),
        account=request.match_info.get("account", ""),
        remote=remote,
    )


async def body_of(request: web.Request, limit: int) -> bytes:
    """The body, or HTTP 413 as soon as it is longer than `limit` bytes."""
    body = bytearray()
    async for piece in request.content.iter_chunked(16 * 1024):
        body += piece
        if len(body) > limit:
            raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=len(body))
    return bytes(body)
