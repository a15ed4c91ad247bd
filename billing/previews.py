"""Messengers that open a link before its person does, to show a preview: that is no view."""

import re

from aiohttp import web

# As they name themselves. Apple's Messages and Signal use the names of others here.
_PREVIEW = re.compile(
    r"WhatsApp/|TelegramBot|facebookexternalhit|Facebot|Twitterbot|Slackbot|Discordbot|LinkedInBot|SkypeUriPreview",
    re.IGNORECASE,
)


def is_view(request: web.Request) -> bool:
    """Whether a person has opened the page, as far as can be seen."""
    return request.method == "GET" and not _PREVIEW.search(request.headers.get("User-Agent", ""))
