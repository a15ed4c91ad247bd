"""Waking somebody for a person in crisis, by e-mail or SMS. The message names the conversation, never the person."""

import asyncio
import smtplib
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import select

from conversations.creditors import Creditors
from core.hold import URGENT, Reason
from core.message import Address, Channel, Rendered
from store.database import Database
from store.tables.talk import conversation

log = structlog.get_logger(__name__)


class Alerts:
    """Subscriber of detected care. A failure is tried again by the events' own retries."""

    def __init__(
        self, db: Database, creditors: Creditors, sms: Channel, smtp_url: str, sender: str, public_url: str
    ) -> None:
        self._db = db
        self._creditors = creditors
        self._sms = sms
        self._smtp_url = smtp_url
        self._sender = sender
        self._public_url = public_url

    async def care_detected(self, payload: Mapping[str, Any]) -> None:
        reason = Reason(payload["reason"])
        if reason not in URGENT:
            return
        async with self._db.read() as tx:
            key = await tx.scalar(
                select(conversation.c.creditor_id).where(conversation.c.id == payload["conversation_id"])
            )
        creditor = await self._creditors.get(str(key))
        log.critical("care.urgent", conversation=payload["conversation_id"], creditor=creditor.key)
        page = f"{self._public_url}/desk/c/{payload['conversation_id']}"
        if creditor.alerts.urgent.startswith("+"):
            text = f"Effen, URGENT: someone may be in danger. Please look now: {page}"
            address = Address(creditor.alerts.urgent)
            await self._sms.send(Rendered(f"urgent-{payload['turn_id']}", creditor.key, address, text))
            return
        if not self._smtp_url:
            log.error("care.nobody_woken", why="EFFEN_SMTP_URL is not set")
            return
        mail = EmailMessage()
        mail["From"], mail["To"] = self._sender, creditor.alerts.urgent
        mail["Subject"] = f"[Effen] URGENT: someone may be in danger ({creditor.key})"
        mail.set_content(
            "A message in a conversation reads as if someone may want to hurt themselves.\n"
            f"Crisis lines were given at once. Please look now:\n\n{page}\n"
        )
        await asyncio.to_thread(_send, self._smtp_url, mail)


def _send(url: str, mail: EmailMessage) -> None:
    at = urlsplit(url)
    secure = at.scheme == "smtps"
    client = (smtplib.SMTP_SSL if secure else smtplib.SMTP)(
        at.hostname or "localhost", at.port or (465 if secure else 25), timeout=15
    )
    with client as server:
        server.ehlo()
        if not secure and server.has_extn("starttls"):
            server.starttls()
        if at.username:
            server.login(unquote(at.username), unquote(at.password or ""))
        server.send_message(mail)
