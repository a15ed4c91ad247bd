"""What a queued message becomes: allowed still, then the exact text, buttons and picture for its channel, stored."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import gate, window
from conversations.contacts import ContactPoint, contact_of
from conversations.creditors import Creditors
from conversations.disclosure import discloses
from conversations.handoff import wait_for_person
from conversations.holds import holding
from core.creditor import Creditor
from core.hold import Reason
from core.ids import DebtorId
from core.lifecycle import OutboundState
from core.message import Channel, Choice, Limits, Option, Rendered, Say, links_in
from store.tables.invoices import invoice_copy
from store.tables.money import payment_link
from store.tables.people import contact_point
from store.tables.staff import agent
from store.tables.talk import button, conversation, outbound

log = structlog.get_logger(__name__)

# In quiet hours it is tried again this much later.
_QUIET = timedelta(minutes=15)

# Built once: building them anew for each message costs more than running them.
_POINT = (
    select(contact_point, conversation.c.locale.label("spoken"))
    .join_from(contact_point, conversation, conversation.c.id == bindparam("talk"))
    .where(contact_point.c.id == bindparam("point"))
)
_BUTTONS = select(button.c.id).where(button.c.outbound_id == bindparam("message")).order_by(button.c.position)
_ROW = update(outbound).where(outbound.c.id == bindparam("message"))


class Renderer(Protocol):
    def render(
        self,
        say: Say,
        choices: Sequence[Choice],
        locale: str | None,
        limits: Limits,
        creditor: Creditor,
        link_url: Mapping[str, str],
        *,
        today: date,
    ) -> Any:
        """locales.Renderer: texts, choices and image for a channel."""
        ...


class Making:
    """Makes the exact messages of what is queued, as late as can be."""

    def __init__(
        self,
        creditors: Creditors,
        renderer: Renderer,
        channels: Mapping[str, Channel],
        public_url: str,
        may_approach: Callable[[Creditor, datetime], bool],
        still_true: Callable[[AsyncConnection, Row[Any], DebtorId, datetime], Awaitable[bool]],
    ) -> None:
        """`may_approach`: whether we may write first at this moment (quiet hours); `still_true`: whether what a queued
        message says first to this debtor is so at this moment."""
        self._creditors = creditors
        self._renderer = renderer
        self._channels = channels
        self._public_url = public_url.rstrip("/")
        self._may_approach = may_approach
        self._still_true = still_true

    async def made(
        self, tx: AsyncConnection, row: Row[Any], now: datetime, **values: Any
    ) -> tuple[str, Sequence[Mapping[str, Any]] | None]:
        """The channel, and the exact messages: an earlier try's, or made and stored with `values`. None: not to go."""
        found = (await tx.execute(_POINT, {"point": row.contact_point_id, "talk": row.conversation_id})).one()
        point, locale = contact_of(found), found.spoken
        creditor = await self._creditors.get(row.creditor_id)
        # Before each try: much may happen between the first and the last.
        if row.proactive and not await self._may_go(tx, row, point, creditor, now):
            return point.channel, None
        if point.conversation != row.conversation_id:
            # Somebody else is at this address by now, or nobody knows who: what was meant for the last one stays here.
            await gate.withhold(tx, row, gate.SESSION_ENDED)
            return point.channel, None
        if discloses(row.key) and not point.verified(now):
            # Whose session has lapsed comes back to it; who never was verified should not have been answered so.
            (log.info if point.verified_until else log.error)("outbound.undisclosed", outbound=row.id, key=row.key)
            await gate.close(tx, row, point, now)
            return point.channel, None
        if row.rendered is not None:
            return point.channel, row.rendered
        say = Say(row.key, row.args, [Option.from_json(option) for option in row.options])
        parts = await self._render(tx, row, say, point, creditor, locale, now)
        await tx.execute(_ROW, {"message": row.id, "rendered": parts, "locale": locale} | values)
        return point.channel, parts

    async def _may_go(
        self, tx: AsyncConnection, row: Row[Any], point: ContactPoint, creditor: Creditor, now: datetime
    ) -> bool:
        """What we start is looked at once more: since it was queued somebody may have opted out, paid, or be in
        trouble."""
        if point.opted_out_at is not None:
            await gate.withhold(tx, row, "opted_out")
            return False
        about = next((o["entities"]["invoice"] for o in row.options or () if "invoice" in o.get("entities", {})), None)
        if point.debtor is not None and await holding(tx, point.debtor, about):
            await gate.withhold(tx, row, "held")
            return False
        if not self._may_approach(creditor, now):
            later = {"state": OutboundState.QUEUED, "next_at": now + _QUIET, "lease": None, "lease_until": None}
            later["attempts"] = row.attempts - 1  # waiting for the morning is no try
            await tx.execute(update(outbound).where(outbound.c.id == row.id).values(**later))
            return False
        if point.debtor is not None and not await self._still_true(tx, row, point.debtor, now):
            await gate.withhold(tx, row, "superseded")
            return False
        if not window.takes(row.key, point, creditor, now):
            await gate.withhold(tx, row, "window_closed")
            await wait_for_person(tx, row.conversation_id, Reason.REQUEST, now, {"unreached": point.channel})
            return False
        return True

    async def _render(
        self,
        tx: AsyncConnection,
        row: Row[Any],
        say: Say,
        point: ContactPoint,
        creditor: Creditor,
        locale: str | None,
        now: datetime,
    ) -> Sequence[Mapping[str, Any]]:
        ids = []
        if say.options:
            ids = list((await tx.scalars(_BUTTONS, {"message": row.id})).all())
        urls: dict[str, str] = {}
        if links := links_in(say.args):
            tokens = select(payment_link.c.id, payment_link.c.token).where(payment_link.c.id.in_(links))
            urls = {link.id: f"{self._public_url}/p/{link.token}" for link in await tx.execute(tokens)}
        if pages := [value["page"] for value in say.args.values() if isinstance(value, dict) and "page" in value]:
            of_copies = select(invoice_copy.c.id, invoice_copy.c.token).where(invoice_copy.c.id.in_(pages))
            urls |= {copy.id: f"{self._public_url}/i/{copy.token}" for copy in await tx.execute(of_copies)}
        name = ""
        if row.agent_id:
            name = (await tx.scalar(select(agent.c.name).where(agent.c.id == row.agent_id)) or "").partition(" ")[0]
        channel = self._channels[point.channel]
        shown = self._renderer.render(
            say,
            [Choice(each, "") for each in ids],
            locale,
            channel.limits,
            creditor,
            urls,
            today=now.astimezone(creditor.zone).date(),
        )
        template, order = window.template(say.key, point, creditor, now)
        variables = {str(place): shown.values[name] for place, name in enumerate(order, 1)} if template else {}
        last = len(shown.texts) - 1
        return [
            asdict(
                Rendered(
                    id=row.id if number == last else f"{row.id}-{number}",
                    account=creditor.key,
                    address=point.address,
                    text=text,
                    choices=shown.choices if number == last else (),
                    image=shown.image if number == last else None,
                    author=row.author,
                    name=name,
                    template=template,
                    variables=variables,
                )
            )
            | {"at": row.created_at.isoformat()}
            for number, text in enumerate(shown.texts)
        ]


def message_of_part(part: Mapping[str, Any]) -> Rendered:
    """A stored part as the message it was rendered to."""
    choices = [Choice(**choice) for choice in part["choices"]]
    return Rendered(**{**part, "choices": choices, "at": datetime.fromisoformat(part["at"])})
