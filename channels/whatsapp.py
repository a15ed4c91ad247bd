"""WhatsApp, through Twilio: text with a picture, up to three buttons, or a list of up to ten rows.

https://www.twilio.com/docs/content/twilio-quick-reply, https://www.twilio.com/docs/content/twiliolist-picker
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from twilio.rest.content.v1.content import ContentList

from channels import twilio
from channels.twilio import Twilio
from core.errors import SendFailed
from core.message import Choice, Inbound, Limits, Receipt, Rendered, Webhook

# Twilio takes 1,600 characters, but 1,024 where there are buttons; numbering the buttons instead still fits then.
LIMITS = Limits(text=1_024, buttons=3, button_title=20, rows=10, images=True)

# Content that is unknown, or does not take our variables: https://www.twilio.com/docs/api/errors
_BAD_CONTENT = frozenset({"21654", "21655", "21656", "21658", "63027"})


class WhatsApp:
    """`numbers`: our number for each creditor's key, without `whatsapp:`; our account in what comes in is likewise."""

    name = "whatsapp"
    limits = LIMITS

    def __init__(self, account: Twilio, numbers: Mapping[str, str]) -> None:
        self._account = account
        self._numbers = numbers
        self._contents: dict[int, str] = {}  # number of choices → SID: the shapes are few, what they say is variable
        self._creating = asyncio.Lock()

    def verify(self, webhook: Webhook) -> None:
        self._account.verify(webhook)

    def parse(self, webhook: Webhook) -> Sequence[Inbound | Receipt]:
        return twilio.parse(webhook, self.name)

    def reply(self, webhook: Webhook) -> tuple[str, str]:
        return twilio.NO_ANSWER

    async def send(self, message: Rendered) -> str:
        sender, to = self._ends(message)
        if message.template:
            variables = json.dumps(dict(message.variables)) if message.variables else None
            extra = {"content_variables": variables} if variables else {}
            return await self._account.create(to, sender, content_sid=message.template, **extra)
        if message.choices and not message.image:
            sent = await self._with_buttons(message, to, sender)
            if sent:
                return sent
        media = {"media_url": [message.image]} if message.image else {}
        return await self._account.create(to, sender, body=_numbered(message), **media)

    async def find(self, message: Rendered, since: datetime) -> Receipt | None:
        """By the text, with its choices as buttons or numbered. A template's text is Twilio's: nobody can ask."""
        sender, to = self._ends(message)
        for body in dict.fromkeys((message.text, _numbered(message))):
            found = await self._account.find(to, sender, body, since)
            if found:
                return found
        return None

    async def fetch(self, account: str, media: str, most: int) -> bytes:
        return await self._account.fetch(media, most)

    def _ends(self, message: Rendered) -> tuple[str, str]:
        to = message.address if message.address.startswith(twilio.WHATSAPP) else twilio.WHATSAPP + message.address
        return twilio.WHATSAPP + twilio.sender(self._numbers, message), to

    async def _with_buttons(self, message: Rendered, to: str, sender: str) -> str | None:
        """The message's SID; None where Twilio does not take the buttons: the text can then still be sent."""
        count = len(message.choices)
        try:
            content = await self._content(count)
        except SendFailed:
            return None
        values = [message.text, *(value for choice in message.choices for value in (choice.title, choice.id))]
        variables = json.dumps({str(number): value for number, value in enumerate(values, 1)}, ensure_ascii=False)
        try:
            return await self._account.create(to, sender, content_sid=content, content_variables=variables)
        except SendFailed as error:
            if error.code not in _BAD_CONTENT:
                raise
            self._contents.pop(count, None)
            return None

    async def _content(self, count: int) -> str:
        """The template for so many choices, made once a process. Raises SendFailed."""
        async with self._creating:
            if count not in self._contents:
                request = ContentList.ContentCreateRequest(_shape(count))
                self._contents[count] = await self._account.content(request)
            return self._contents[count]


def _shape(count: int) -> dict[str, Any]:
    """Content whose text, titles and ids are variables: {{1}} the text, then a title and an id for each choice."""
    pairs = [(f"{{{{{2 * number}}}}}", f"{{{{{2 * number + 1}}}}}") for number in range(1, count + 1)]
    if count <= LIMITS.buttons:
        actions = [{"type": "QUICK_REPLY", "title": title, "id": identifier} for title, identifier in pairs]
        types = {"twilio/quick-reply": {"body": "{{1}}", "actions": actions}}
    else:
        items = [{"item": title, "id": identifier} for title, identifier in pairs]
        types = {"twilio/list-picker": {"body": "{{1}}", "button": "☰", "items": items}}
    samples = {str(number): "-" for number in range(1, 2 * count + 2)}
    return {"friendly_name": f"effen_choices_{count}", "language": "en", "variables": samples, "types": types}


def _numbered(message: Rendered) -> str:
    """The text, with the choices that cannot be shown as buttons: a person may answer with their number."""
    lines = [_line(number, choice) for number, choice in enumerate(message.choices, 1)]
    return "\n\n".join([message.text, "\n".join(lines)]) if lines else message.text


def _line(number: int, choice: Choice) -> str:
    return f"{number}. {choice.title}" + (f": {choice.url}" if choice.url else "")
