"""People in trouble and people who disagree: a fitting word at once, everything of ours stops, a person is called."""

import pytest

from core.hold import PRIORITY, Reason
from store.tables.talk import conversation, event, inbound
from tests.whole.people import Phone, Visitor, act, colleague, logged_in
from tests.whole.stage import Stage

SAID = [
    ("nl", "ik heb dit nooit besteld", "dispute.", Reason.DISPUTE),
    ("en", "I never ordered this", "dispute.", Reason.DISPUTE),
    ("nl", "ik ben mijn baan kwijt", "care.hardship", Reason.HARDSHIP),
    ("en", "I lost my job and I can't pay", "care.hardship", Reason.HARDSHIP),
    ("nl", "mijn vader is overleden, dit was zijn rekening", "care.report_deceased", Reason.REPORT_DECEASED),
    ("en", "my husband passed away last week", "care.report_deceased", Reason.REPORT_DECEASED),
    ("nl", "ik sta onder bewind, neem contact op met mijn bewindvoerder", "care.under_administration",
     Reason.UNDER_ADMINISTRATION),
    ("en", "I am under administration, contact my administrator", "care.under_administration",
     Reason.UNDER_ADMINISTRATION),
    ("nl", "ik wil niet meer leven", "care.self_harm", Reason.SELF_HARM),
    ("en", "I want to kill myself", "care.self_harm", Reason.SELF_HARM),
]  # fmt: skip


@pytest.mark.parametrize(("locale", "text", "key", "reason"), SAID, ids=[f"{row[0]}-{row[3]}" for row in SAID])
async def test_a_fitting_word_a_hold_and_a_person(
    stage: Stage, locale: str, text: str, key: str, reason: Reason
) -> None:
    person = await Visitor(stage, locale=locale).arrive()
    said = await person.say(text)
    assert said[0].startswith(key)
    talk = await person.conversation()
    assert (talk.state, talk.reason, talk.priority, talk.locale) == ("open", reason, PRIORITY[reason], locale)
    turn = await stage.one(inbound)
    assert talk.summary["turn"] == turn.id
    assert turn.care == reason
    # Stopping needs no proof.
    assert await stage.holds() == [(reason, None)]
    urgent = reason is Reason.SELF_HARM
    assert talk.care == urgent
    assert len(stage.smtp.mails) == urgent
    if urgent:
        assert not any("€" in line for line in await person.texts())


async def test_the_urgent_mail_names_the_conversation_and_never_the_person(stage: Stage) -> None:
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    await person.say("ik maak er een eind aan, ik wil dood")
    (mail,) = stage.smtp.mails
    assert mail.recipients == ("care@bloemenblad.example",)
    assert mail.message["Subject"].startswith("[Effen] URGENT")
    talk = await person.conversation()
    assert f"{stage.url}/desk/c/{talk.id}" in mail.text
    assert not any(secret in mail.text for secret in ("Fenna", "Varenblad", "K-1001", "wil dood", "2026-0042"))


async def test_somebody_is_woken_in_the_end_when_the_mail_server_was_away(stage: Stage) -> None:
    stage.smtp.refusing = 1
    person = await Visitor(stage).arrive()
    await person.write("ik wil niet meer leven")

    async def not_taken() -> bool:
        answered = (await stage.rows(inbound))[0].outcome is not None
        return answered and bool(await stage.rows(event, event.c.error.is_not(None)))

    await stage.until(not_taken, "an answer, and a mail that is not taken")
    assert stage.smtp.mails == []
    await stage.later(seconds=31)
    assert len(stage.smtp.mails) == 1
    assert await stage.said() == ["intro.ai", "care.self_harm", "care.self_harm_open"]


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_the_hold_covers_the_customer_whose_number_it_is(stage: Stage, channel: str) -> None:
    phone = Phone(stage, channel=channel, number="+31600000001")
    await phone.say("ik ben mijn baan kwijt en kan niet betalen")
    assert (await phone.contact()).verified_until is None
    assert await stage.holds() == [("hardship", "K-1001")]


async def test_a_hold_becomes_the_customers_on_verification(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    await person.say("ik ben mijn baan kwijt")
    assert await stage.holds() == [("hardship", None)]
    await Visitor(stage, address=person.address, token=logged_in(stage, "K-1003")).arrive()
    assert await stage.holds() == [("hardship", "K-1003")]


@pytest.mark.parametrize(
    ("locale", "ask", "trouble", "key"),
    [
        ("nl", "wat moet ik nog betalen?", "ik ben net ontslagen, ik kan dit niet betalen", "care.hardship"),
        ("en", "what do I owe?", "I never ordered this", "dispute."),
        ("nl", "wat staat er open?", "ik wil niet meer leven", "care.self_harm"),
    ],
)
async def test_trouble_breaks_through_the_verification(
    stage: Stage, locale: str, ask: str, trouble: str, key: str
) -> None:
    person = await Visitor(stage, locale=locale).arrive()
    assert await person.say(ask) == ["verify.ask_reference"]
    assert (await person.conversation()).form == "verify_form"
    assert (await person.say(trouble))[0].startswith(key)
    talk = await person.conversation()
    assert (talk.state, talk.form) == ("open", None)


async def test_a_crisis_is_answered_at_once_while_an_agent_has_the_conversation(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    await person.say("ik wil een medewerker spreken")
    talk = await person.conversation()
    agent = await colleague(stage)
    await act(stage, agent, talk.id, "take")
    assert await person.say("hoe lang duurt het nog?") == []
    assert await person.say("ik zie het niet meer zitten, ik wil er niet meer zijn") == [
        "care.self_harm",
        "care.self_harm_open",
    ]
    assert len(stage.smtp.mails) == 1
    assert await stage.holds() == [("self_harm", None)]
    talk = await person.conversation()
    assert (talk.reason, talk.priority, talk.care) == ("self_harm", 100, True)
    assert talk.agent_id is not None, "who has it keeps it"
    assert await person.say("ik wil dood") == ["care.self_harm_again"]


async def test_only_a_person_lifts_a_hold(stage: Stage) -> None:
    person = await Visitor(stage, token=logged_in(stage, "K-1003"), locale="en").arrive()
    await person.say("I never ordered this")
    talk = await person.conversation()
    agent = await colleague(stage)
    await act(stage, agent, talk.id, "take")
    await act(stage, agent, talk.id, "resolve")
    assert await stage.holds() == [("dispute", "K-1003")]
    page = await agent.page(f"/desk/c/{talk.id}")
    path = page.partition('action="/desk/holds/')[2].partition('"')[0]
    assert (await agent.post(f"/desk/holds/{path}", confirm="yes")).status == 303
    assert await stage.holds() == []


async def test_who_waits_is_told_that_a_person_comes_and_when(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    await person.say("ik heb dit nooit besteld")
    assert await person.say("hallo?") == ["notice.desk_waiting", "handoff.when_open"]
    assert await person.say("is daar iemand?") == []
    stage.clock.advance(hours=10)
    assert await person.say("hallo?") == ["notice.desk_waiting", "handoff.when_closed"]
    assert (await stage.one(conversation, conversation.c.id == (await person.conversation()).id)).state == "open"


@pytest.mark.parametrize(
    ("text", "disputed", "said"),
    [
        pytest.param("factuur 2026-0042 klopt niet", ["2026-0042"], ["invoice.held"], id="one that is named"),
        pytest.param("2026-0042 en 2026-0057 heb ik nooit besteld", ["2026-0042", "2026-0057"], [], id="both"),
        pytest.param("ik heb dit nooit besteld", ["2026-0042", "2026-0057"], [], id="none"),
        pytest.param(
            "factuur 2026-0099 klopt niet", ["2026-0042", "2026-0057"], [], id="a number that is none of theirs"
        ),
    ],
)
async def test_a_dispute_holds_the_invoice_that_is_named_else_all(
    stage: Stage, text: str, disputed: list[str], said: list[str]
) -> None:
    person = await Visitor(stage, token=logged_in(stage, "K-1001")).arrive()
    assert (await person.say(text))[-2 - len(said) :] == ["handoff.when_open", *said, "dispute.ask"]
    who = (await stage.debtor("K-1001")).id
    found = await stage.effen.invoices.open_of(who)
    assert sorted(invoice.number for invoice in found if invoice.disputed) == disputed


async def test_the_administrators_name_is_noted(stage: Stage) -> None:
    person = await Visitor(stage).arrive()
    await person.say("ik sta onder bewind")
    assert await person.say("mevrouw De Vries, devries@bewind.example") == ["care.administrator_noted"]
    assert (await person.conversation()).summary["administrator"] == "mevrouw De Vries, devries@bewind.example"
    assert await person.say("dank je wel") == ["notice.desk_waiting", "handoff.when_open"]


@pytest.mark.parametrize(
    ("trouble", "key", "reason"),
    [
        ("ik ben mijn baan kwijt", "care.hardship_unknown", Reason.HARDSHIP),
        ("ik heb het pakket nooit gekregen", "dispute.unknown", Reason.DISPUTE),
        ("ik heb een klacht over jullie", "care.complaint_unknown", Reason.COMPLAINT),
    ],
)
async def test_somebody_unknown_in_trouble_is_asked_who_they_are_and_then_everything_stops(
    stage: Stage, trouble: str, key: str, reason: Reason
) -> None:
    person = await Visitor(stage, locale="nl").arrive()
    assert key in await person.say(trouble)
    assert await person.say("wanneer hoor ik iets?") != ["verify.ask_postcode"], "a colleague’s to answer"
    assert await person.say("2026-0042") == ["verify.ask_postcode"]
    assert (await person.conversation()).reason == reason
    assert await person.say("1234 AB") == ["care.held"]
    assert await stage.holds() == [(reason, "K-1001")]
    talk = await person.conversation()
    assert (talk.state, talk.reason, talk.form) == ("open", reason, None)
    assert (await stage.debtor("K-1001")).id == talk.debtor_id


async def test_whose_invoice_it_is_nobody_has_to_prove(stage: Stage) -> None:
    person = await Visitor(stage, locale="nl").arrive()
    assert "dispute.not_mine_unknown" in await person.say("deze factuur is niet van mij")
    assert await person.say("2026-0042") == ["dispute.noted"]
    assert (await person.conversation()).summary["evidence"] == "2026-0042"


async def test_a_plan_that_is_asked_for_with_the_number_is_made(stage: Stage) -> None:
    person = await Visitor(stage, locale="nl").arrive()
    await person.say("ik ben mijn baan kwijt")
    assert await person.say("ik wil een betalingsregeling voor 2026-0042") == ["verify.ask_postcode"]
    assert await person.say("1234 AB") == ["plan.offer"]
    assert await stage.holds() == [("hardship", "K-1001")]
