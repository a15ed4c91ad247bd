"""The pay page in people's languages, with the catalogues as they are."""

import pytest

from billing.page import LANGUAGES
from core.creditor import Payments as Methods
from locales.renderer import Renderer
from tests.billing.house import BLOEM, House, street

AMOUNT = {"nl": "€\xa0123,45", "en": "€123.45", "fr": "123,45\xa0€", "de": "123,45\xa0€"}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_state_of_the_page_is_said_in_each_language(house: House, language: str) -> None:
    config = BLOEM.model_copy(update={"key": "kraam", "payments": Methods(methods=["ideal", "cowrie_shells"])})
    await house.creditor(config)
    who = await house.debtor("K1", config)
    link = await house.link(who, [await house.invoice(who, "F1", 12345)], creditor=config)
    async with street(house, Renderer()) as opened:

        async def get(path: str) -> str:
            headers = {"Accept-Language": language}
            async with opened.http.get(f"{opened.url}{path}", headers=headers) as response:
                page = await response.text()
                assert f'<html lang="{language}">' in page
                return page

        page = await get(f"/p/{link.token}")
        assert AMOUNT[language] in page
        assert ">iDEAL</button>" in page and ">Cowrie shells</button>" in page
        checkout = await opened.payments.start(link, "ideal", Renderer().language(language, config))
        pages = [page, await get(checkout.removeprefix(opened.url)), await get("/p/unknown")]
        await opened.choose(checkout, "cancel")
        pages.append(await get(f"/p/{link.token}/return"))
        house.clock.advance(days=14)
        pages.append(await get(f"/p/{link.token}"))
        titles = {each.partition("<h1>")[2].partition("</h1>")[0] for each in pages}
        assert len({*pages}) == 5 and len(titles) == 3
