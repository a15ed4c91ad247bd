"""The product as it is wired, collecting through a real provider: link, page, checkout, webhook, ledger, message."""

import re
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from sqlalchemy import insert, select

from app import creditor_files, web
from app.compose import wired
from app.settings import Settings
from bench.ports import free_port
from catalogue.answers import Answering
from catalogue.index import Encoder
from catalogue.ranking import Ranking
from core.creditor import Payments
from store.schema import migrate
from store.tables.money import posting
from store.tables.people import contact_point
from store.tables.talk import conversation, outbound
from tests.billing.house import BLOEM, House
from tests.clock import FakeClock
from tests.fakes.bank import FakeBank, Held
from tests.fakes.buckaroo import FakeBuckaroo
from tests.fakes.mollie import FakeMollie
from tests.fakes.stripe import FakeStripe
from understanding import Understanding

FAKES = {"mollie": FakeMollie, "stripe": FakeStripe, "buckaroo": FakeBuckaroo}


@pytest.mark.parametrize("name", FAKES)
async def test_from_the_page_to_the_message(tmp_path: Path, clock: FakeClock, name: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with FAKES[name](clock) as bank:
        settings = Settings(
            var_dir=tmp_path,
            public_url=url,
            port=port,
            actions_url=f"http://127.0.0.1:{free_port()}",
            secret_key="a-secret-key-that-only-tests-know",
            engine_token="a-token",
            twilio_account_sid="AC" + "0" * 32,
            twilio_auth_token="x",
        ).model_copy(update={f"{name}_api_url": bank.url})
        migrate(settings.store_url)
        # Nobody says anything here, so nothing is understood.
        nothing = cast(Understanding, None)
        environment = {key.upper(): value for key, value in bank.keys["bloem"].items()}
        async with (
            wired(settings, clock, nothing, Answering(cast(Encoder, None), cast(Ranking, None)), environment) as effen,
            aiohttp.ClientSession() as http,
        ):
            keys = {key: f"${{{key.upper()}}}" for key in bank.keys["bloem"]}
            config = BLOEM.model_copy(update={"payments": Payments(provider=name, keys=keys, methods=["ideal"])})
            await creditor_files.apply(effen.db, clock, config)
            await effen.accounts.refresh()
            house = House.of(effen.db, clock)
            who = await house.debtor("K1")
            link = await house.link(who, [await house.invoice(who, "F1", 1250)], creditor=config)
            now = clock.now()
            async with effen.db.begin() as tx:
                talk = {"id": "t1", "debtor_id": who, "state": "pending", "dialogue": "d1", "contact_point_id": "c1"}
                await tx.execute(
                    insert(conversation).values(creditor_id="bloem", created_at=now, updated_at=now, **talk)
                )
                point = {"id": "c1", "channel": "rest", "address": "x", "conversation_id": "t1", "debtor_id": who}
                await tx.execute(insert(contact_point).values(creditor_id="bloem", created_at=now, **point))
            bank.endpoint = f"{url}/webhooks/{name}/bloem"
            async with web.listening(effen, host="127.0.0.1", port=port):
                held = await _paid(http, f"{url}/p/{link.token}", bank)
                while await effen.events.run_one():
                    pass
                held.refunded = 250
                assert await bank.tell(held) == 200
                while await effen.events.run_one():
                    pass
            async with effen.db.read() as tx:
                said = list(await tx.scalars(select(outbound.c.key).order_by(outbound.c.seq)))
                booked = [tuple(row) for row in await tx.execute(select(posting.c.account, posting.c.minor))]
    assert said == ["payment.received", "payment.settled_all", "payment.refunded"]
    assert sorted(booked[2:]) == sorted([("bank", 1250), ("receivable", -1250), ("bank", -250), ("receivable", 250)])


async def _paid(http: aiohttp.ClientSession, page: str, bank: FakeBank) -> Held:
    async with http.get(page) as response:
        assert re.findall(r'name="method" value="(\w+)"', await response.text()) == ["ideal"]
    async with http.post(page, data={"method": "ideal"}, allow_redirects=False) as response:
        checkout = response.headers["Location"]
    async with http.post(checkout, data={"outcome": "succeed"}, allow_redirects=False) as response:
        back = response.headers["Location"]
    async with http.get(back) as response:
        assert response.status == 200
    return list(bank.held.values())[-1]
