"""The conversation behind the web chat and Rasa's REST channel."""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.exc import IntegrityError

from channels.web import utterances
from conversations import contacts
from conversations.creditors import Creditors
from conversations.identity import Identity
from conversations.inbox import Inbox
from conversations.making import message_of_part
from conversations.outbox import Outbox
from core.clock import Clock
from core.creditor import Creditor
from core.ids import ContactPointId, ConversationId, CreditorKey, TurnId
from core.lifecycle import OutboundState, TurnState
from core.message import Address, Inbound, Locale, Rendered, Say
from store.database import Database
from store.tables.talk import conversation, inbound, outbound
from store.wake import Wake

# What a person sees again after a reload.
_HISTORY = 100
# A REST client names its sender as it likes. One that could be guessed (“alice”) is a conversation of that network
# address alone, so that nobody elsewhere goes on with it.
_UNGUESSABLE = 22
# A wake-up may be lost, or another process may do the work.
_POLL = 0.5

# Built once: building them anew for each message costs more than running them.
_ANSWERED = (inbound.c.state == TurnState.DONE) & ~exists().where(
    outbound.c.turn_id == inbound.c.id,
    outbound.c.state.in_([OutboundState.QUEUED, OutboundState.SENDING]),
)
_ASKER = select(inbound.c.contact_point_id, inbound.c.conversation_id, _ANSWERED.label("answered")).where(
    inbound.c.id == bindparam("turn")
)
# Of the turn's own conversation: what was meant for whoever was verified here before is not this caller's.
_UNFETCHED = update(outbound).where(
    outbound.c.contact_point_id == bindparam("asker"),
    outbound.c.conversation_id == bindparam("talk"),
    outbound.c.state == OutboundState.SENT,
)
_SAID = (
    select(outbound.c.rendered)
    .where(
        outbound.c.contact_point_id == bindparam("asker"),
        outbound.c.conversation_id == bindparam("talk"),
        outbound.c.rendered.is_not(None),
        (outbound.c.turn_id == bindparam("turn")) | (outbound.c.fetched_by == bindparam("turn")),
    )
    .order_by(outbound.c.seq)
)


class Chats:
    """channels.web.Chat."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        wake: Wake,
        creditors: Creditors,
        inbox: Inbox,
        outbox: Outbox,
        identity: Identity,
        secret: str,
    ) -> None:
        self._db = db
        self._clock = clock
        self._wake = wake
        self._creditors = creditors
        self._inbox = inbox
        self._outbox = outbox
        self._identity = identity
        self._secret = secret.encode()

    async def creditor(self, key: str | None) -> Creditor:
        return await self._creditors.get(key or await self._creditors.only())

    async def open(
        self, creditor: str, session: str, *, locale: str | None, token: str | None, remote: str
    ) -> Sequence[Mapping[str, Any]]:
        key, address = CreditorKey(creditor), Address(session)
        language = await self._language(creditor, locale)
        if token:
            await self._identity.identify(key, "web", address, token, language)
        try:
            contact = await self._enter(key, address, language)
        except IntegrityError:
            # A new session that is opened twice at once: the other has made it by now.
            contact = await self._enter(key, address, language)
        self._outbox.wake()
        return await self._history(contact.id, contact.conversation)

    async def _enter(self, key: CreditorKey, address: Address, language: Locale | None) -> contacts.ContactPoint:
        now = self._clock.now()
        async with self._db.begin() as tx:
            contact = await contacts.reach(tx, key, "web", address, now, language)
            talk = (await tx.execute(select(conversation).where(conversation.c.id == contact.conversation))).one()
            if not talk.introduced:
                # At once: it is an AI system, in whose name it speaks, and that a person can take over.
                # Once for each session of the dialogue: after an agent has ended the talk it begins anew.
                cause = f"intro:{talk.dialogue}"
                await self._outbox.put(tx, contact.conversation, Say("intro.ai"), cause=cause, contact=contact.id)
                await tx.execute(
                    update(conversation)
                    .where(conversation.c.id == contact.conversation)
                    .values(introduced=True, locale=talk.locale or language)
                )
        return contact

    async def receive(
        self,
        creditor: str,
        session: str,
        text: str,
        *,
        button: str | None,
        message_id: str,
        locale: str | None,
        token: str | None,
        remote: str,
    ) -> None:
        await self._take("web", creditor, session, text, button, message_id, locale, token, remote)

    async def ask(
        self,
        creditor: str,
        sender: str,
        text: str,
        *,
        message_id: str,
        locale: str | None,
        token: str | None,
        remote: str,
        seconds: float,
    ) -> Sequence[Rendered]:
        session = sender if len(sender) >= _UNGUESSABLE else f"{sender}@{self._keyed(remote)}"
        turn, fresh = await self._take("rest", creditor, session, text, None, message_id, locale, token, remote)
        deadline = asyncio.get_running_loop().time() + seconds
        # A message that came this moment has no answer yet.
        said = None if fresh else await self._fetch(turn)
        while said is None:
            left = deadline - asyncio.get_running_loop().time()
            if left > 0:
                await self._wake.wait(f"turn:{turn}", min(left, _POLL))
            said = await self._fetch(turn, unfinished=left <= 0)
        return said

    async def _take(
        self,
        channel: str,
        creditor: str,
        session: str,
        text: str,
        button: str | None,
        message_id: str,
        locale: str | None,
        token: str | None,
        remote: str,
    ) -> tuple[TurnId, bool]:
        """The message's turn, and whether it is new."""
        key, address = CreditorKey(creditor), Address(session)
        language = await self._language(creditor, locale)
        if token:
            await self._identity.identify(key, channel, address, token, language)
        message = Inbound(
            channel=channel,
            account=creditor,
            address=address,
            # A client's ids are its own: they are told apart by session.
            external_id=f"{session}/{message_id}",
            text=text,
            button=button,
            locale=language,
            profile={"remote": self._keyed(remote)},
        )
        turn = await self._inbox.receive(key, message)
        if turn is not None:
            return turn, True
        turn = await self._inbox.turn_of(key, channel, message.external_id)
        assert turn is not None
        return turn, False

    def _keyed(self, remote: str) -> str:
        """A network address, told apart from others and not to be read back."""
        return hmac.new(self._secret, remote.encode(), "sha256").hexdigest()[:32]

    async def _language(self, creditor: str, locale: str | None) -> Locale | None:
        wanted = (locale or "")[:2].lower()
        return Locale(wanted) if wanted in (await self._creditors.get(creditor)).languages else None

    async def _fetch(self, turn: TurnId, *, unfinished: bool = False) -> Sequence[Rendered] | None:
        """What this turn said, also when it is asked for again, and what was said since the last call.

        None where it is not answered yet, unless what there is will do (`unfinished`).
        """
        now = self._clock.now()
        async with self._db.begin() as tx:
            contact, talk, answered = (await tx.execute(_ASKER, {"turn": turn})).one()
            if not (answered or unfinished):
                return None
            fetched = {"state": OutboundState.DELIVERED, "delivered_at": now, "fetched_by": turn}
            await tx.execute(_UNFETCHED, {"asker": contact, "talk": talk} | fetched)
            rows = await tx.execute(_SAID, {"asker": contact, "talk": talk, "turn": turn})
            return [message_of_part(part) for row in rows for part in row.rendered]

    async def _history(self, contact: ContactPointId, talk: ConversationId) -> Sequence[Mapping[str, Any]]:
        """What this session said and was told; its earlier life as somebody verified is not its own any more."""
        async with self._db.read() as tx:
            said = await tx.execute(
                select(inbound)
                .where(inbound.c.contact_point_id == contact, inbound.c.conversation_id == talk)
                .order_by(inbound.c.seq.desc())
                .limit(_HISTORY)
            )
            heard = await tx.execute(
                select(outbound)
                .where(
                    outbound.c.contact_point_id == contact,
                    outbound.c.conversation_id == talk,
                    outbound.c.rendered.is_not(None),
                    outbound.c.state != OutboundState.WITHHELD,
                )
                .order_by(outbound.c.seq.desc())
                .limit(_HISTORY)
            )
            entries: list[tuple[datetime, list[Mapping[str, Any]]]] = [
                (row.received_at, [_own(row)]) for row in reversed(said.all()) if row.text
            ]
            entries += [
                (row.created_at, [u for part in row.rendered for u in utterances(message_of_part(part))])
                for row in reversed(heard.all())
            ]
        entries.sort(key=lambda entry: entry[0])
        return [payload for _, payloads in entries for payload in payloads]


def _own(row: Any) -> Mapping[str, Any]:
    identifier = row.external_id.partition("/")[2]
    return {
        "text": row.text,
        "metadata": {"id": identifier, "author": "person", "at": row.received_at.isoformat()},
    }
