import pytest

from core.creditor import Creditor
from store.database import Database
from tests.catalogue.made import Made
from tests.catalogue.shop import founded
from tests.clock import FakeClock


@pytest.fixture
def encoder() -> Made:
    return Made()


@pytest.fixture
async def shop(database: Database, clock: FakeClock) -> Creditor:
    return await founded(database, clock)
