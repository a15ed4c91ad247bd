from collections.abc import AsyncIterator

import pytest

from billing.invoices import Invoices
from billing.links import Links
from store.database import Database
from tests.billing.house import BLOEM, VELO, House, Keys, Street, street
from tests.clock import FakeClock


@pytest.fixture
async def house(database: Database, clock: FakeClock) -> House:
    house = House(database, clock, Invoices(database), Links(database, clock))
    for creditor in (BLOEM, VELO):
        await house.creditor(creditor)
    return house


@pytest.fixture
async def on_street(house: House) -> AsyncIterator[Street]:
    async with street(house, Keys()) as opened:
        yield opened
