"""The pay page as a browser without JavaScript meets it."""

import asyncio
import re

import aiohttp
import pytest
from sqlalchemy import update

from billing.links import Link
from billing.page import choose
from core.agent import Agent, Role
from core.ids import AgentId, CreditorKey, InvoiceId
from core.lifecycle import LinkState
from core.money import Money
from store.tables.people import debtor
from store.tables.talk import conversation
from tests.billing.house import BLOEM, Street
from tests.qr_reader import read_png, read_svg

PHONE = {"Accept-Language": "nl-BE,nl;q=0.9"}


async def billed(street: Street, minor: int = 12345) -> tuple[InvoiceId, Link]:
    who = await street.house.debtor("K1")
    key = await street.house.invoice(who, "539007547034", minor)
    return key, await street.house.link(who, [key])


async def get(street: Street, path: str, status: int = 200, **headers: str) -> str:
    async with street.http.get(street.url + path, headers=headers or PHONE) as response:
        assert response.status == status
        return await response.text()


async def press(street: Street, link: Link, method: str) -> aiohttp.ClientResponse:
    url = f"{street.url}/p/{link.token}?lang=nl"
    return await street.http.post(url, data={"method": method}, allow_redirects=False)


async def test_it_shows_creditor_amount_reference_and_methods_alone(on_street: Street) -> None:
    _, link = await billed(on_street)
    page = await get(on_street, f"/p/{link.token}")
    assert "[nl:pay.title] Bloem &amp; &lt;Blad&gt; BV" in page
    assert "[nl:pay.amount] 12345 EUR" in page
    assert "[nl:pay.reference] RF18 5390 0754 7034" in page
    assert re.findall(r'name="method" value="(\w+)"', page) == ["ideal", "bancontact", "creditcard", "banktransfer"]
    for secret in ("Fientje", "Kamerplanten", "K1", "2026-11-01", "<script"):
        assert secret not in page


async def test_headers_keep_the_address_to_itself(on_street: Street) -> None:
    _, link = await billed(on_street)
    async with on_street.http.get(f"{on_street.url}/p/{link.token}") as response:
        page = await response.text()
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert response.headers["Cache-Control"] == "no-store"
        policy = response.headers["Content-Security-Policy"]
    (nonce,) = re.findall(r"style-src 'nonce-([^']+)'", policy)
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert f'<style nonce="{nonce}">' in page and "style=" not in page.replace("<style", "")


async def test_paying_from_the_page_to_the_thanks(on_street: Street) -> None:
    key, link = await billed(on_street)
    answer = await press(on_street, link, "ideal")
    assert answer.status == 303
    checkout = answer.headers["Location"]
    assert "[nl:sandbox.succeed]" in await get(on_street, checkout.removeprefix(on_street.url))
    thanks = await on_street.choose(checkout, "succeed")
    page = await get(on_street, thanks.removeprefix(on_street.url))
    assert "[nl:pay.paid]" in page and "<form" not in page
    assert await on_street.house.open(key) == 0
    # The back button: the page says so too, and another click starts nothing.
    assert "[nl:pay.paid]" in await get(on_street, f"/p/{link.token}")
    answer = await press(on_street, link, "ideal")
    assert (answer.status, answer.headers["Location"]) == (303, f"/p/{link.token}?lang=nl")
    assert "[nl:sandbox.over]" in await get(on_street, checkout.removeprefix(on_street.url))


async def test_two_clicks_are_one_checkout(on_street: Street) -> None:
    _, link = await billed(on_street)
    answers = await asyncio.gather(*(press(on_street, link, "ideal") for _ in range(4)))
    assert len({answer.headers["Location"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("outcome", "said", "form"),
    [("fail", "pay.failed", True), ("cancel", "pay.cancelled", True), ("delay", "pay.pending", False)],
)
async def test_coming_back_without_success(on_street: Street, outcome: str, said: str, form: bool) -> None:
    _, link = await billed(on_street)
    checkout = (await press(on_street, link, "ideal")).headers["Location"]
    back = await on_street.choose(checkout, outcome)
    page = await get(on_street, back.removeprefix(on_street.url))
    assert f"[nl:{said}]" in page
    assert ("<form" in page) is form
    assert ('http-equiv="refresh"' in page) is (outcome == "delay")


async def test_coming_back_undecided(on_street: Street) -> None:
    _, link = await billed(on_street)
    assert "pay.unsure" not in await get(on_street, f"/p/{link.token}/return")
    await press(on_street, link, "ideal")
    assert "[nl:pay.unsure]" in await get(on_street, f"/p/{link.token}/return")


async def test_a_delayed_payment_arrives_while_the_page_waits(on_street: Street) -> None:
    _, link = await billed(on_street)
    checkout = (await press(on_street, link, "ideal")).headers["Location"]
    back = (await on_street.choose(checkout, "delay")).removeprefix(on_street.url)
    on_street.house.clock.advance(seconds=6)
    assert await on_street.bank.run_due(on_street.house.clock.now()) == 1
    assert "[nl:pay.paid]" in await get(on_street, back)


async def test_an_expired_link_offers_a_new_one_in_the_chat(on_street: Street) -> None:
    _, link = await billed(on_street)
    on_street.house.clock.advance(days=14)
    page = await get(on_street, f"/p/{link.token}", 410)
    assert "[nl:pay.expired]" in page and "[nl:pay.expired_ask]" in page and "<form" not in page
    assert "12345" not in page
    await get(on_street, f"/p/{link.token}/epc.png", 410)


async def test_a_link_that_was_paid_otherwise_asks_for_nothing(on_street: Street) -> None:
    key, link = await billed(on_street)
    await on_street.house.paid_elsewhere(key, 12345, "bank:1")
    page = await get(on_street, f"/p/{link.token}")
    assert "[nl:pay.settled]" in page and "<form" not in page


@pytest.mark.parametrize("part", [5000, 9000], ids=["of one invoice", "of two"])
async def test_a_link_over_a_part_is_paid_once(on_street: Street, part: int) -> None:
    house = on_street.house
    who = await house.debtor("K1")
    keys = [await house.invoice(who, number, 8000) for number in ("F1", "F2")]
    link = await house.link(who, keys, amount=Money(part))
    thanks = await on_street.choose((await press(on_street, link, "ideal")).headers["Location"], "succeed")
    for page in (thanks.removeprefix(on_street.url), f"/p/{link.token}"):
        assert "[nl:pay.paid]" in await get(on_street, page)
    await get(on_street, f"/p/{link.token}/epc.png", 410)
    again = await press(on_street, link, "ideal")
    assert (again.status, again.headers["Location"]) == (303, f"/p/{link.token}?lang=nl")
    assert sum([await house.open(key) for key in keys]) == 16000 - part
    rest = await house.link(who, keys, "turn-2:link")
    assert f"[nl:pay.amount] {16000 - part} EUR" in await get(on_street, f"/p/{rest.token}")


@pytest.mark.parametrize("path", ["", "/return", "/qr.png", "/qr.svg", "/epc.png", "/epc.svg"])
async def test_an_unknown_token(on_street: Street, path: str) -> None:
    page = await get(on_street, f"/p/{'x' * 22}{path}", 404, **{"Accept-Language": "de"})
    assert "[de:pay.unknown]" in page


async def test_a_method_that_is_not_offered(on_street: Street) -> None:
    _, link = await billed(on_street)
    assert (await press(on_street, link, "cowries")).status == 400


async def test_a_transfer_goes_to_the_creditors_account(on_street: Street) -> None:
    key, link = await billed(on_street)
    pressed = await press(on_street, link, "banktransfer")
    assert (pressed.status, pressed.headers["Location"]) == (303, f"/p/{link.token}/transfer?lang=nl")
    page = await get(on_street, f"/p/{link.token}/transfer?lang=nl")
    for shown in (
        "NL02 ABNA 0123 4567 89",
        "RF18 5390 0754 7034",
        "12345 EUR",
        "Bloem &amp; &lt;Blad&gt; BV",
        "epc.png",
    ):
        assert shown in page
    assert "<form" not in page and f'/p/{link.token}?lang=nl">[nl:pay.transfer_other]' in page
    found = await on_street.house.links.by_id(link.id)
    assert found and found.state is LinkState.STARTED
    await on_street.house.paid_elsewhere(key, 12345, "statement:1")
    assert "[nl:pay.settled]" in await get(on_street, f"/p/{link.token}/transfer?lang=nl")


@pytest.mark.parametrize("methods", [["ideal"], []])
async def test_a_transfer_that_is_not_offered(on_street: Street, methods: list[str]) -> None:
    _, link = await billed(on_street)
    payments = BLOEM.payments.model_copy(update={"methods": methods})
    await on_street.house.change(BLOEM.model_copy(update={"payments": payments}))
    assert (await press(on_street, link, "banktransfer")).status == 400
    page = await get(on_street, f"/p/{link.token}/transfer")
    assert "NL02" not in page and re.findall(r'name="method" value="(\w+)"', page) == methods


async def test_codes_for_phone_and_bank_app(on_street: Street) -> None:
    key, link = await billed(on_street)
    await on_street.house.paid_elsewhere(key, 345, "bank:1")

    async def picture(name: str) -> bytes:
        async with on_street.http.get(f"{on_street.url}/p/{link.token}/{name}") as response:
            assert response.status == 200
            return await response.read()

    address = f"{on_street.url}/p/{link.token}"
    assert read_png(await picture("qr.png")) == address
    assert read_svg(await picture("qr.svg")) == address
    for transfer in (read_png(await picture("epc.png")), read_svg(await picture("epc.svg"))):
        assert transfer.split("\n")[5:] == [
            "Bloem & <Blad> BV",
            "NL02ABNA0123456789",
            "EUR120.00",
            "",
            "RF18539007547034",
        ]


@pytest.mark.parametrize(
    ("opened_by", "state"),
    [
        ("WhatsApp/2.24.9.78 A", LinkState.CREATED),
        ("TelegramBot (like TwitterBot)", LinkState.CREATED),
        ("facebookexternalhit/1.1 Facebot Twitterbot/1.0", LinkState.CREATED),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", LinkState.CREATED),
        ("Mozilla/5.0 (Linux; Android 11; CUBOT X30) Chrome/120.0 Mobile Safari/537.36", LinkState.VIEWED),
        ("", LinkState.VIEWED),
    ],
)
async def test_a_messengers_preview_is_no_view(on_street: Street, opened_by: str, state: LinkState) -> None:
    _, link = await billed(on_street)
    headers = {"User-Agent": opened_by}
    assert "pay.amount]" in await get(on_street, f"/p/{link.token}", 200, **headers)
    found = await on_street.house.links.by_id(link.id)
    assert found and found.state is state


async def test_a_link_that_was_taken_back_collects_nothing(on_street: Street) -> None:
    key, link = await billed(on_street)
    agent = Agent(AgentId("sanne"), CreditorKey(BLOEM.key), "sanne@bloem.example", "Sanne de Wit", Role.AGENT)
    for _ in range(2):
        await on_street.house.links.revoke(link.id, link.debtor, agent)
    page = await get(on_street, f"/p/{link.token}", 410)
    assert "[nl:pay.revoked]" in page and "[nl:pay.expired_ask]" in page and "<form" not in page and "12345" not in page
    answer = await press(on_street, link, "ideal")
    assert (answer.status, answer.headers["Location"]) == (303, f"/p/{link.token}?lang=nl")
    await get(on_street, f"/p/{link.token}/epc.svg", 410)
    assert await on_street.house.open(key) == 12345


async def test_it_speaks_as_the_conversation_did(on_street: Street) -> None:
    """Whatever the telephone is set to; who reads another language says so on the page."""
    house = on_street.house
    who = await house.debtor("K1")
    key = await house.invoice(who, "539007547034", 12345)
    talk = await house.talk(who)
    link = await house.links.issue(talk, who, [key], key="turn-1:link", creditor=BLOEM)
    assert "[nl:pay.title]" in await get(on_street, f"/p/{link.token}")  # nobody has said anything clear yet
    async with house.database.begin() as tx:
        await tx.execute(update(debtor).values(language="de"))
    assert "[de:pay.title]" in await get(on_street, f"/p/{link.token}")
    async with house.database.begin() as tx:
        await tx.execute(update(conversation).where(conversation.c.id == talk).values(locale="fr"))
    assert "[fr:pay.title]" in await get(on_street, f"/p/{link.token}")
    assert "[en:pay.title]" in await get(on_street, f"/p/{link.token}?lang=en")


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        pytest.param("de", "fr", "de", id="asked for"),
        pytest.param("xx", "fr-BE,nl;q=0.8", "fr", id="not one of ours"),
        pytest.param(None, "nl;q=0.5, en;q=0.9", "en", id="by weight"),
        pytest.param(None, "fr;q=0, de", "de", id="not wanted"),
        pytest.param(None, "pl,*;q=0.1", "nl", id="none of ours"),
        pytest.param(None, ";;q=x,,", "nl", id="nonsense"),
        pytest.param(None, "", "nl", id="nothing"),
    ],
)
def test_the_language(asked: str | None, accepted: str, language: str) -> None:
    assert choose(asked, accepted, ["nl", "en"]) == language
