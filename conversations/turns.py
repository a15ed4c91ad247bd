"""Turns: each message is understood once, whoever answers it, and then answered by the bot or given to the desk."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import claim as claims
from conversations import languages, pauses, reading, waiting
from conversations.care import country_of, crisis
from conversations.claim import Claim, LeaseLost
from conversations.context import silence
from conversations.creditors import Creditors
from conversations.delivery import Delivery
from conversations.engine import Answer, Engine
from conversations.handoff import hand_over, note, watch
from conversations.hours import is_open, when
from conversations.outbox import Outbox, opt_in_contact, opt_out_contact
from conversations.reading import Reading, Understanding
from conversations.training import learn
from conversations.wishes import second
from core.clock import Clock
from core.creditor import Creditor
from core.errors import EffenError, EngineFailed
from core.hold import PRIORITY, Reason, care_of
from core.ids import ConversationId, new_id
from core.lifecycle import ConversationState, TurnOutcome, TurnState
from core.message import Option, Say
from store.database import Database, changed
from store.events import PICTURE_SENT, emit
from store.tables.talk import conversation, inbound, outbound
from store.wake import Wake

log = structlog.get_logger(__name__)

# The same turn is tried again for this long; then the person gets an apology and a human.
PATIENCE = timedelta(seconds=20)
# The dialogue's cost grows with its events: it starts afresh, outside forms, with its slots carried.
ROLL_OVER = 60
# A turn that has failed this often is closed without an answer, and its conversation put before a person.
_HOPELESS = 10
# What is asked beside a handing over: where its answer is noted in the agent's summary, and how it is acknowledged.
_ASKED = {
    Reason.DISPUTE: ("evidence", "dispute.noted"),
    Reason.UNDER_ADMINISTRATION: ("administrator", "care.administrator_noted"),
}
# No answer to such a question, but a wish of its own.
_NO_ANSWER = waiting.CURT | {
    *("human", "help", "bot_challenge", "switch_language", "request_callback", "ask_contact_info", "privacy_request"),
    *("pay", "pay_part", "pay_later", "request_payment_plan", "ask_payment_methods", "ask_balance", "ask_fees"),
}
_NOTED = 1_000  # characters of it in the agent's summary; the transcript has all

# Built once: building them anew for each turn costs more than running them.
_DONE = claims.HELD.where(inbound.c.state == TurnState.RECEIVED).returning(inbound)
_TALK = select(conversation).where(conversation.c.id == bindparam("here")).with_for_update()
_SAID = select(outbound).where(outbound.c.conversation_id == bindparam("here")).order_by(outbound.c.seq.desc()).limit(1)
_CHANGED = update(conversation).where(conversation.c.id == bindparam("here"))


class AgentLeft(EffenError):
    """What was left to an agent came when that agent had just resolved the conversation, or handed it back."""


class Turns:
    """A worker's way through the inbox. Any number may run, in any number of processes."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        wake: Wake,
        creditors: Creditors,
        outbox: Outbox,
        delivery: Delivery,
        engine: Engine,
        understanding: Understanding,
        offer_again: frozenset[str] = frozenset(),
    ) -> None:
        """`offer_again`: channels that can never tell whether an uncertain message arrived."""
        self._db = db
        self._clock = clock
        self._wake = wake
        self._creditors = creditors
        self._outbox = outbox
        self._delivery = delivery
        self._engine = engine
        self._understanding = understanding
        self._offer_again = offer_again

    async def free(self) -> None:
        """On start, where this process is the only worker (SQLite): nobody else holds a lease."""
        async with self._db.begin() as tx:
            await tx.execute(
                update(inbound).where(inbound.c.state == TurnState.RECEIVED).values(lease=None, lease_until=None)
            )

    async def run_one(self) -> bool:
        """Take the next turn through; False where none waits."""
        async with self._db.begin() as tx:
            claim = await claims.take(tx, self._clock.now())
        if claim is None:
            return False
        try:
            await self._run(claim)
        except LeaseLost:
            log.warning("turn.lease_lost", turn=claim.turn)
        except AgentLeft:
            await self._again(claim)
        except Exception as error:
            log.exception("turn.failed", turn=claim.turn, error=type(error).__name__)
            await self._put_back(claim)
        return True

    async def _run(self, claim: Claim) -> None:
        creditor = await self._creditors.get(claim.contact.creditor)
        form = claim.talk.form
        stale = form is not None and await self._silence(claim) > pauses.FORM_LIFE
        heard = await self._read(claim, creditor, form_open=form is not None and not stale)
        left = stale and pauses.leaves(heard, form)
        spoken = (claim.talk.locale, claim.language, claim.contact.locale)
        locale = reading.language_of(heard, spoken, creditor.languages)
        await self._note(claim, creditor, heard, locale)
        if {"opt_out", "opt_in"} & claim.message.flags.keys():
            await self._opted(claim)
        elif not waiting.answers(claim, heard):
            await self._to_desk(claim, creditor, heard)
        elif heard.expired:
            await self._close(claim, TurnOutcome.ANSWERED, [Say("notice.button_expired")], creditor=creditor)
        elif not (claim.message.text.strip() or claim.message.media or heard.tapped):
            await self._close(claim, TurnOutcome.ANSWERED, [Say("notice.media")], creditor=creditor)
        else:
            which = await self._which_language(claim, creditor, heard)
            resumed = pauses.resume(claim.talk.dialogue_slots.get("wanted"), heard) if left else []
            if which is not None and languages.waits(heard):
                await self._close(claim, TurnOutcome.ANSWERED, [which], creditor=creditor)
            else:
                told = waiting.who(claim, heard)
                interrupt = left or (told is None and reading.interrupts(heard, form))
                await self._ask_engine(claim, creditor, told or heard, locale, interrupt, which, resumed)

    async def _silence(self, claim: Claim) -> timedelta:
        async with self._db.read() as tx:
            return await silence(tx, claim.message) or timedelta(0)

    async def _read(self, claim: Claim, creditor: Creditor, *, form_open: bool) -> Reading:
        message = claim.message
        now = self._clock.now()
        # Rasa's REST clients send a button's payload back as text.
        tapped = message.button_id or next((o.id for o in claim.offers if o.id == message.text.strip()), None)
        offer = reading.chosen(claim.offers, tapped, message.text, now)
        if offer is not None and offer.expires_at > now:
            return reading.of_option(offer.option, offer.outbound)
        if tapped is not None:
            return reading.expired()
        if message.flags.get("start"):
            # Telegram's button under an empty chat: a first hello.
            return reading.of_keyword("greet")
        known = reading.keyword(
            message.text,
            claim.contact.channel,
            form_open=form_open,
            opted_out=claim.contact.opted_out_at is not None,
        )
        if known:
            return reading.of_keyword(known)
        if message.media and not message.text.strip():
            return reading.of_picture()
        hint = claim.talk.locale or claim.language or claim.contact.locale or creditor.languages[0]
        # In a thread, so that no conversation waits for another's encoding.
        parsed = await asyncio.to_thread(self._understanding.parse, message.text, hint)
        heard = reading.of_parse(parsed, form_open=form_open)
        meant = reading.agreed(claim.offers, now) if heard.intent == "affirm" else None
        if meant is not None:
            return reading.of_option(meant.option, meant.outbound)
        return reading.with_picture(heard) if message.media else heard

    async def _note(self, claim: Claim, creditor: Creditor, heard: Reading, locale: str) -> None:
        """Keep what was understood; care counts from here on, whoever answers and whatever fails."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            await claims.renew(tx, claim, now, parse=heard.as_json(), intent=heard.intent, care=heard.care)
            # Told by a keyword or a clear message: remembered from now on.
            clear = locale in (heard.language, heard.asks_for)
            if (clear and locale != claim.talk.locale) or claim.talk.locale is None:
                await tx.execute(update(conversation).where(conversation.c.id == claim.talk.id).values(locale=locale))
            # Once a turn, however often it is tried: nobody is woken twice for one message.
            if heard.care and heard.care != claim.message.care:
                suspected = heard.said is None
                await watch(tx, claim.message, heard.care, heard.entities, now, suspected=suspected)
            if heard.answered and creditor.training_inbox:
                await learn(tx, heard.answered, heard.intent, now)

    async def _opted(self, claim: Claim) -> None:
        """The provider has recognised the keyword and answered it: deliberate silence."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            if claim.message.flags.get("opt_out"):
                await opt_out_contact(tx, claim.contact.id, now)
            else:
                await opt_in_contact(tx, claim.contact.id)
        await self._close(claim, TurnOutcome.SILENT, [])

    async def _to_desk(self, claim: Claim, creditor: Creditor, heard: Reading) -> None:
        """A person has the conversation, or is awaited: the engine is not called; a crisis is answered all the same."""
        says: list[Say] = []
        now = self._clock.now()
        there = is_open(creditor, now)
        if heard.intent == "opt_out":
            # Stopping waits for nobody, whoever has the conversation.
            async with self._db.begin() as tx:
                await opt_out_contact(tx, claim.contact.id, now)
            says.append(Say("opt_out.done"))
        elif heard.care is Reason.SELF_HARM:
            country = country_of(claim.country, claim.contact.address, creditor)
            again = claim.talk.reason == Reason.SELF_HARM
            says += crisis(country, agent_open=there, again=again)
        elif claim.talk.reason == Reason.WRONG_PERSON and heard.intent in waiting.CURT and not claim.talk.agent_id:
            # Who was told goodbye is left alone.
            log.info("turn.silent", turn=claim.turn, why=Reason.WRONG_PERSON)
            await self._close(claim, TurnOutcome.SILENT, [])
            return
        elif (noted := await self._tells_more(claim, heard)) is not None:
            says.append(noted)
        elif claim.talk.agent_id is None and not await self._told_just_now(claim):
            says += [Say("notice.desk_waiting"), when(creditor, now, agent_open=there)]
        await self._close(claim, TurnOutcome.DESK, says, reason=heard.said)

    async def _tells_more(self, claim: Claim, heard: Reading) -> Say | None:
        """What is said to an answer to what was asked when it was handed over: it is noted for the agent, once."""
        talk, text = claim.talk, claim.message.text.strip()
        name, key = _ASKED.get(talk.reason, ("", ""))
        if not name or talk.agent_id is not None or name in (talk.summary or {}):
            return None
        if heard.tapped or heard.intent in _NO_ANSWER or not (text or claim.message.media):
            return None
        async with self._db.begin() as tx:
            await note(tx, talk.id, {name: text[:_NOTED] or "+"}, self._clock.now())
        return Say(key)

    async def _told_just_now(self, claim: Claim) -> bool:
        async with self._db.read() as tx:
            return await waiting.told_just_now(tx, claim.contact.id, self._clock.now())

    async def _which_language(self, claim: Claim, creditor: Creditor, heard: Reading) -> Say | None:
        """The question which language the person reads, where they write in none that the creditor speaks."""
        if claim.talk.form is not None or not languages.unspoken(heard, creditor.languages):
            return None
        async with self._db.read() as tx:
            return await languages.which(tx, claim.talk.id, heard, claim.message.text, creditor.languages)

    async def _ask_engine(
        self,
        claim: Claim,
        creditor: Creditor,
        heard: Reading,
        locale: str,
        interrupt: bool,
        which: Say | None,
        resumed: Sequence[Say],
    ) -> None:
        """`which`: said after the dialogue's answer in any case; `resumed`: where nothing else waits."""
        talk = claim.talk
        verified = claim.contact.verified(self._clock.now())
        facts = {
            "verified": verified,
            "away": verified and heard.intent == "greet" and await self._silence(claim) >= pauses.AWAY,
            "language": locale,
            "channel": claim.contact.channel,
        }
        slots = facts if talk.dialogue_events else {**talk.dialogue_slots, **facts}
        said = None if talk.dialogue_events else await self._said(talk)
        deadline = claim.message.first_claimed_at + PATIENCE
        pause = 0.25
        while True:
            try:
                answer = await self._engine.turn(
                    claim.turn,
                    talk.dialogue,
                    claim.message.text,
                    {**heard.engine, "text": claim.message.text},
                    slots,
                    interrupt=interrupt,
                    said=said,
                )
                break
            except EngineFailed as error:
                log.warning("engine.failed", turn=claim.turn, error=str(error))
                if self._clock.now() >= deadline:
                    await self._apologise(claim, heard.said)
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
                async with self._db.begin() as tx:
                    await claims.renew(tx, claim, self._clock.now())
        if not answer.says:
            # Silence is a fault.
            log.error("engine.silent", turn=claim.turn, intent=heard.intent)
            await self._apologise(claim, heard.said)
            return
        says = [*answer.says, *([which] if which else [])]
        await self._close(claim, TurnOutcome.ANSWERED, says, answer=answer, creditor=creditor, resumed=resumed)

    async def _said(self, talk: Row[Any]) -> Say | None:
        """What the dialogue said last, if nothing was said since: a session that is new knows nothing of it."""
        async with self._db.read() as tx:
            row = (await tx.execute(_SAID, {"here": talk.id})).first()
        if row is None or row.author != "bot" or row.turn_id is None:
            return None
        return Say(row.key, row.args, [Option.from_json(option) for option in row.options])

    async def _apologise(self, claim: Claim, care: Reason | None) -> None:
        """A person takes over; who is in danger hears where there is help, whatever has failed."""
        says = [Say("apology.handoff")]
        if care is Reason.SELF_HARM:
            creditor = await self._creditors.get(claim.contact.creditor)
            country = country_of(claim.country, claim.contact.address, creditor)
            says = crisis(country, agent_open=is_open(creditor, self._clock.now()))
        await self._close(claim, TurnOutcome.APOLOGISED, says, reason=care or Reason.FAULT)

    async def _close(
        self,
        claim: Claim,
        outcome: TurnOutcome,
        says: Sequence[Say],
        *,
        answer: Answer | None = None,
        creditor: Creditor | None = None,
        reason: Reason | None = None,
        resumed: Sequence[Say] = (),
    ) -> None:
        """The turn's end and its answers, in one transaction. Raises LeaseLost."""
        now = self._clock.now()
        async with self._db.begin() as tx:
            done = {"state": TurnState.DONE, "outcome": outcome, "finished_at": now, "lease": None, "lease_until": None}
            held = {"turn": claim.turn, "held": claim.message.lease}
            message = (await tx.execute(_DONE, held | done)).first()
            if message is None:
                raise LeaseLost(claim.turn)
            # The turn may have verified the person: its conversation is the debtor's by now.
            talk = (await tx.execute(_TALK, {"here": message.conversation_id})).one()
            if outcome is TurnOutcome.DESK and not says and not waiting.waits(talk):
                raise AgentLeft(claim.turn)
            if talk.agent_id is not None and (answer is not None or reason is Reason.FAULT):
                # An agent took over meanwhile: what the bot found, or its apology for nothing, comes too late.
                await tx.execute(update(inbound).where(inbound.c.id == claim.turn).values(outcome=TurnOutcome.DESK))
                says, reason = [], None
            if reason is not None and (outcome is not TurnOutcome.DESK or PRIORITY[reason] > talk.priority):
                await hand_over(tx, message, reason, now)
            # A session that was ended meanwhile, by an agent or a merging, is not this answer's any more.
            values = _dialogue(talk, answer, outcome) if talk.dialogue == claim.talk.dialogue else {}
            if creditor is not None and says and not talk.introduced:
                says = [Say("intro.ai"), *says]
                values["introduced"] = True
            if talk.state in (ConversationState.RESOLVED, ConversationState.SNOOZED) and reason is None:
                values["state"] = ConversationState.PENDING
            if message.flags.get("cut"):
                says = [Say("notice.cut"), *says]
            if answer is not None and answer.form is None and not waiting.waits(talk):
                says = [*says, *(await second(tx, message, form_done=claim.talk.form is not None) or resumed)]
            proved = any(say.key.startswith("claim.") for say in says)  # a claim keeps its pictures itself
            if message.media and not proved and (reason is not None or talk.state == ConversationState.OPEN):
                await emit(tx, PICTURE_SENT, {"turn_id": message.id}, now)
            await self._put(tx, talk, message, says)
            told = await self._delivery.tell(tx, claim.turn, message.contact_point_id, message.channel) if says else []
            await tx.execute(_CHANGED, {"here": talk.id, "updated_at": now} | values)
            changed(tx, talk.id)
        if told or not says:
            await self._delivery.show(told, message.channel)
            # Otherwise who waits for the turn waits for what is said to have left.
            self._wake.ring(f"turn:{claim.turn}")
        if len(told) < len(says):
            self._outbox.wake()

    async def _put(self, tx: AsyncConnection, talk: Row[Any], message: Row[Any], says: Sequence[Say]) -> None:
        here, contact = ConversationId(talk.id), message.contact_point_id
        if message.channel in self._offer_again:
            await self._outbox.offer_again(tx, here, contact)
        cause = f"turn:{message.id}"
        await self._outbox.put_all(tx, here, says, cause=cause, turn=message.id, contact=contact, home=talk)

    async def _again(self, claim: Claim) -> None:
        """At once, from the beginning: the bot has the conversation again."""
        async with self._db.begin() as tx:
            await tx.execute(claims.HELD, {"turn": claim.turn, "held": claim.message.lease, "lease_until": None})

    async def _put_back(self, claim: Claim) -> None:
        """After a fault of our own: once more in a second; in the end a person gets it."""
        now = self._clock.now()
        if claim.message.attempts < _HOPELESS:
            async with self._db.begin() as tx:
                await tx.execute(
                    update(inbound)
                    .where(inbound.c.id == claim.turn, inbound.c.lease == claim.message.lease)
                    .values(lease_until=now + timedelta(seconds=1))
                )
            return
        await self._apologise(claim, care_of(claim.message.intent or ""))


def _dialogue(talk: Row[Any], answer: Answer | None, outcome: TurnOutcome) -> dict[str, Any]:
    """The dialogue's session after this turn: it goes on, or rolls over with its slots carried."""
    if answer is None:
        # What the engine may still find belongs to a session that nobody reads any more.
        return roll_over(talk) if outcome is TurnOutcome.APOLOGISED else {}
    values: dict[str, Any] = {
        "dialogue_events": answer.events,
        "dialogue_slots": dict(answer.slots),
        "form": answer.form,
    }
    if answer.events > ROLL_OVER and answer.form is None:
        values |= roll_over(talk)
    return values


def roll_over(talk: Row[Any]) -> dict[str, Any]:
    """A new session of the dialogue, under a name that none of its sessions had."""
    return {"dialogue": f"{talk.id}:{new_id()}", "dialogue_events": 0, "form": None}
