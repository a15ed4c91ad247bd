"""SMS, through Twilio: plain text. What is said is numbered, and put into GSM-7, by the renderer."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from channels import twilio
from channels.twilio import Twilio
from core.message import Inbound, Limits, Receipt, Rendered, Webhook

# Six parts of 153 characters: each costs, and Twilio takes 1,600 at most.
LIMITS = Limits(text=918, gsm7=True)


class Sms:
    """`numbers`: our number for each creditor's key. Our account in what comes in is the number that was written to."""

    name = "sms"
    limits = LIMITS

    def __init__(self, account: Twilio, numbers: Mapping[str, str]) -> None:
        self._account = account
        self._numbers = numbers

    def verify(self, webhook: Webhook) -> None:
        self._account.verify(webhook)

    def parse(self, webhook: Webhook) -> Sequence[Inbound | Receipt]:
        return twilio.parse(webhook, self.name)

    def reply(self, webhook: Webhook) -> tuple[str, str]:
        return twilio.NO_ANSWER

    async def send(self, message: Rendered) -> str:
        number = twilio.sender(self._numbers, message)
        return await self._account.create(message.address, number, body=message.text)

    async def find(self, message: Rendered, since: datetime) -> Receipt | None:
        number = twilio.sender(self._numbers, message)
        return await self._account.find(message.address, number, message.text, since)
