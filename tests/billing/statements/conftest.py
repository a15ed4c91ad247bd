import pytest

from billing.statements.statements import Statements
from store.wake import LocalWake
from tests.billing.conftest import house
from tests.billing.house import House

__all__ = ["house"]


@pytest.fixture
def statements(house: House) -> Statements:
    return Statements(house.database, house.clock, LocalWake())
