"""What an agent sees, and what her clicks do."""

import asyncio
import re
from datetime import date
from typing import Any

import pytest

from core.agent import Role
from core.hold import Reason
from core.ids import new_id
from core.lifecycle import ConversationState, OutboundState
from core.message import Locale
from locales import Renderer
from locales.renderer import LANGUAGES
from store.tables.staff import audit
from store.tables.talk import outbound, sentence
from tests.clock import FakeClock
from tests.desk.conftest import Server
from tests.desk.world import World

NASTY = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def order(page: str) -> list[str]:
    return re.findall(r'<tr id="r-(\w+)"', page)


def plain(page: str) -> str:
    """What is read: without tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " ")


async def test_the_queue_is_by_priority_then_by_waiting_time(world: World, server: Server, clock: FakeClock) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    answered = await world.talk(reason=Reason.SELF_HARM)
    human = await world.talk(reason=Reason.HUMAN)
    clock.advance(minutes=5)
    later = await world.talk(reason=Reason.HUMAN)
    grave = await world.talk(reason=Reason.HARDSHIP)
    await world.says(answered, "Ik lees mee.", author="agent")
    assert order(await browser.page("/desk")) == [grave, human, later, answered]
    clock.advance(minutes=5)
    await world.hears(answered, "en nu?")
    assert order(await browser.page("/desk")) == [answered, grave, human, later]
    page = plain(await browser.page("/desk"))
    assert "10:05" in page and "10 min" in page  # the creditor's zone: 09:05 UTC


async def test_tabs(world: World, server: Server) -> None:
    sanne, karim = await world.agent("Sanne de Wit"), await world.agent("Karim Haddad")
    browser = await server.logged_in(sanne)
    mine, theirs = await world.talk(agent=sanne.id), await world.talk(agent=karim.id)
    waits = await world.talk()
    bot = await world.talk(state=ConversationState.PENDING, reason=None)
    snoozed = await world.talk(state=ConversationState.SNOOZED, reason=None)
    done = await world.talk(state=ConversationState.RESOLVED)
    expected = {
        "open": {mine, theirs, waits},
        "mine": {mine},
        "waiting": {waits},
        "bot": {bot, snoozed},
        "resolved": {done},
        "nonsense": {mine, theirs, waits},
    }
    for tab, talks in expected.items():
        assert set(order(await browser.page(f"/desk?tab={tab}"))) == talks, tab


@pytest.mark.parametrize("language", ["nl", "en", "fr", "de"])
@pytest.mark.parametrize("state", ConversationState)
async def test_every_kind_of_conversation_in_every_language(
    world: World, server: Server, language: str, state: ConversationState
) -> None:
    sanne = await world.agent("Sanne de Wit", "supervisor")
    who = await world.debtor("Jan Verhoeven", "K-1042")
    browser = await server.logged_in(sanne)
    for reason in [*Reason, None]:
        for agent in (None, sanne.id):
            talk = await world.talk(state=state, reason=reason, agent=agent, who=who, locale=None)
            header = {"Accept-Language": f"{language}-BE,{language};q=0.9"}
            page = await browser.page(f"/desk/c/{talk}", **header)
            assert f'<html lang="{language}">' in page
    for tab in ("open", "mine", "waiting", "bot", "resolved"):
        await browser.page(f"/desk?tab={tab}", **header)


async def test_the_transcript_says_who_said_what_and_whether_it_arrived(
    world: World, server: Server, clock: FakeClock
) -> None:
    sanne = await world.agent("Sanne de Wit")
    who = await world.debtor("Jan Verhoeven", "K-1042")
    await world.invoice(who, "2026-0311", 8995, date(2026, 10, 20), "Rozenstruiken")
    await world.invoice(who, "2026-0388", 12450, date(2026, 12, 3))
    talk = await world.talk(
        who=who,
        verified=True,
        agent=sanne.id,
        reason=Reason.HARDSHIP,
        summary={
            "proposal": "25 per maand",
            "wish": "update_contact",
            "noted": ["phone", "+31612345678"],
            "turn": "t1",
        },
    )
    await world.holds(talk, Reason.HARDSHIP, who)
    await world.hears(talk, "ik kan niet betalen", intent="hardship", care="hardship", flags={"cut": True})
    await world.hears(
        talk, "weg", intent="dispute/not_mine", media=["https://pictures.example/1", "javascript:alert(1)"]
    )
    clock.advance(seconds=2)
    choices = [{"id": "x", "title": "In termijnen", "url": None}]
    await world.says(talk, "Wat vervelend.", rendered=[{"text": "Wat vervelend.", "choices": choices}])
    await world.says(talk, None, author="agent", key="agent.text", args={"text": "Dag!"}, agent_id=sanne.id,
                     state=OutboundState.UNKNOWN, error="timeout")  # fmt: skip
    await world.says(talk, None, state=OutboundState.QUEUED)
    html = await (await server.logged_in(sanne)).page(f"/desk/c/{talk}")
    page = plain(html)
    for words in (
        "Jan Verhoeven 10:00 WhatsApp ik kan niet betalen Zorg: Kan niet betalen Begrepen: kan niet betalen",
        "Bericht was te lang en is ingekort",
        "Begrepen: betwist: niet van mij",
        "Bot 10:00 WhatsApp Wat vervelend. In termijnen Afgeleverd",
        "Sanne de Wit 10:00 WhatsApp Dag! Onzeker of dit is aangekomen timeout",
        "Wordt klaargemaakt… In de wachtrij",
        "Voorstel 25 per maand",
        "Wens nieuwe gegevens Genoteerd Telefoonnummer, +31612345678",
        "Klantnummer K-1042",
        "2026-0311",
        "€ 89,95",
        "Samen € 214,45",
        "Geverifieerd",
    ):
        assert words in page, words
    assert "pictures.example" not in html, "a provider's address is nothing for a browser"
    assert "javascript:" not in html and "t1" not in page
    assert "Herkend aan het adres" not in page


async def test_who_is_only_recognised_comes_with_a_warning(world: World, server: Server) -> None:
    who = await world.debtor("Jan Verhoeven", "K-1042")
    talk = await world.talk(who=who)
    page = plain(await (await server.logged_in(await world.agent("Sanne de Wit"))).page(f"/desk/c/{talk}"))
    assert "Niet geverifieerd" in page and "Herkend aan het adres" in page and "K-1042" in page


async def test_what_people_type_is_shown_as_text(world: World, server: Server) -> None:
    sanne = await world.agent(f"Sanne {NASTY}")
    who = await world.debtor(NASTY, NASTY)
    talk = await world.talk(who=who, verified=True, agent=sanne.id, summary={NASTY: NASTY})
    await world.invoice(who, NASTY, 100, date(2026, 10, 20), NASTY)
    await world.hears(talk, NASTY, intent=NASTY)
    await world.says(talk, NASTY, rendered=[{"text": NASTY, "choices": [{"title": NASTY}]}], error=NASTY[:40])
    browser = await server.logged_in(sanne)
    for path in ("/desk", f"/desk/c/{talk}", "/desk/account"):
        page = await browser.page(path)
        assert "<script>alert" not in page and "<img" not in page, path
        assert "&lt;script&gt;" in page, path
    answer = await browser.post(f"/desk/c/{talk}/write", text=NASTY, key="no key")
    assert answer.status == 400
    page = await answer.text()
    assert "<script>alert" not in page and "&lt;script&gt;" in page


async def test_reading_a_conversation_is_written_down(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk()
    browser = await server.logged_in(sanne)
    await browser.page(f"/desk/c/{talk}")
    await browser.page(f"/desk/c/{talk}", **{"X-Desk-Live": "yes"})
    read = [row for row in await world.all(audit) if row.action == "read"]
    assert [(row.agent_id, row.subject) for row in read] == [(sanne.id, talk)]


async def test_a_day_in_the_life_of_a_conversation(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit")
    browser = await server.logged_in(sanne)
    talk = await world.talk()
    hold = await world.holds(talk, Reason.HARDSHIP)
    steps = [
        (f"/desk/c/{talk}/take", {}, f"/desk/c/{talk}?notice=taken"),
        (f"/desk/c/{talk}/write", {"text": "Dag!", "key": new_id()}, f"/desk/c/{talk}?notice=written"),
        (f"/desk/holds/{hold}/lift", {"confirm": "yes"}, f"/desk/c/{talk}?notice=lifted"),
        (f"/desk/c/{talk}/hand-back", {}, f"/desk?notice=handed_back&c={talk}"),
        (f"/desk/c/{talk}/take", {}, f"/desk/c/{talk}?notice=taken"),
        (f"/desk/c/{talk}/resolve", {}, f"/desk?notice=resolved&c={talk}"),
        (f"/desk/c/{talk}/take", {}, f"/desk/c/{talk}?notice=taken"),
    ]
    form: Any
    for path, form, lands in steps:
        answer = await browser.post(path, **form)
        assert (answer.status, answer.headers["Location"]) == (303, lands), path
        await browser.page(lands)
    assert [row.action for row in await world.all(audit) if row.action not in ("read", "login")] == [
        "take", "write", "lift_hold", "hand_back", "take", "resolve", "take",
    ]  # fmt: skip


async def test_who_comes_second_is_told_who_was_first(world: World, server: Server) -> None:
    sanne, karim = await server.logged_in(await world.agent("Sanne de Wit")), await world.agent("Karim Haddad")
    browser = await server.logged_in(karim)
    talk = await world.talk()
    assert (await sanne.post(f"/desk/c/{talk}/take")).status == 303
    answer = await browser.post(f"/desk/c/{talk}/take")
    assert answer.status == 409
    assert "Sanne was je net voor" in await answer.text()
    answer = await browser.post(f"/desk/c/{talk}/write", text="mijn lange antwoord", key=new_id())
    assert answer.status == 409
    page = plain(await answer.text())
    assert "Neem het eerst over" in page and "mijn lange antwoord" in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_whatsapp_takes_no_more_is_said_and_the_text_kept(
    world: World, server: Server, clock: FakeClock, language: str
) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk(agent=sanne.id)
    clock.advance(hours=25)
    browser = await server.logged_in(sanne)
    why = Renderer().text("desk.error.window_closed", Locale(language)).replace("\xa0", " ")
    for accept in ("text/html", "application/json"):
        headers = {"Accept": accept, "Accept-Language": language}
        answer = await browser.post(f"/desk/c/{talk}/write", headers=headers, text="mijn lange antwoord", key=new_id())
        assert answer.status == 400
        if accept == "application/json":
            assert (await answer.json())["error"].replace("\xa0", " ") == why
        else:
            page = plain(await answer.text())
            assert why in page and "mijn lange antwoord" in page
    assert await world.all(outbound) == []


async def test_a_double_click_sends_once(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit")
    browser = await server.logged_in(sanne)
    talk = await world.talk(agent=sanne.id)
    key = re.findall(r'name="key" value="(\w+)"', await browser.page(f"/desk/c/{talk}"))[0]
    path, json = f"/desk/c/{talk}/write", {"Accept": "application/json"}
    answers = await asyncio.gather(*(browser.post(path, headers=json, text="Dag!", key=key) for _ in range(4)))
    keys = {(await answer.json())["key"] for answer in answers}
    assert [answer.status for answer in answers] == [200] * 4 and key not in keys
    assert len(await world.all(outbound)) == 1
    answer = await browser.post(path, headers=json, text="Iets anders", key=key)
    told = await answer.json()
    assert answer.status == 409 and told["key"] != key
    assert (await browser.post(path, headers=json, text="Iets anders", key=told["key"])).status == 200


async def test_a_hold_is_not_lifted_by_a_slip(world: World, server: Server) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit"))
    identifier = await world.holds(await world.talk(), Reason.HARDSHIP)
    assert (await browser.post(f"/desk/holds/{identifier}/lift")).status == 400


@pytest.mark.parametrize("name", ["desk.css", "desk.js", "desk.svg"])
async def test_static_files(server: Server, name: str) -> None:
    assert (await server.browser().get(f"/desk/static/{name}")).status == 200


@pytest.mark.parametrize("name", ["desk.py", "%2e%2e/pages.py", "..%2fpages.py"])
async def test_nothing_else_is_static(server: Server, name: str) -> None:
    assert (await server.browser().get(f"/desk/static/{name}")).status == 404


async def test_no_page_has_a_script_or_a_style_of_its_own(world: World, server: Server) -> None:
    sanne = await world.agent("Sanne de Wit")
    talk = await world.talk(agent=sanne.id)
    browser = await server.logged_in(sanne)
    for path in ("/desk", f"/desk/c/{talk}", "/desk/account"):
        page = await browser.page(path)
        assert not re.search(r"<script(?! src)|<style|\son\w+=|\sstyle=", page), path


@pytest.mark.parametrize("role", Role)
async def test_the_account_page_names_each_role(world: World, server: Server, role: Role) -> None:
    browser = await server.logged_in(await world.agent("Sanne de Wit", role))
    for language in LANGUAGES:
        page = await browser.page("/desk/account", **{"Accept-Language": language})
        assert Renderer().text(f"desk.role.{role}", language) in page
    assert (await browser.get("/desk")).status == 200


async def test_the_training_inbox_is_for_leads(world: World, server: Server) -> None:
    agent = await server.logged_in(await world.agent("Sanne de Wit"))
    lead = await server.logged_in(await world.agent("Roos Wilg", "supervisor"))
    talk = await world.talk()
    given = {"creditor_id": "bloem", "language": "nl", "readings": ["pay", "ask_fees"], "chosen": "ask_fees"}
    for number, text in enumerate((f"geld {NASTY}", "termijn")):
        turn = await world.hears(talk, text)
        row = {"id": f"s{number}", "turn_id": turn, "text": text, "created_at": world.clock.now()}
        await world._insert(sentence, **(given | row))
    assert (await agent.get("/desk/training")).status == 403
    assert "/desk/training" not in await agent.page("/desk")
    assert "/desk/training" in await lead.page("/desk")
    page = await lead.page("/desk/training")
    assert "termijn" in page and NASTY not in page and 'value="ask_fees" selected' in page
    assert (await agent.post("/desk/training/s0/accept", intent="pay")).status == 403
    assert (await lead.post("/desk/training/s0/accept", csrf="forged", intent="pay")).status == 403
    assert (await lead.post("/desk/training/s9/accept", intent="pay")).status == 404
    assert (await lead.post("/desk/training/s0/accept", intent="pay_part")).status == 303
    assert (await lead.post("/desk/training/s1/discard")).status == 303
    assert [(row.id, row.intent) for row in await world.all(sentence)] == [("s0", "pay_part")]
