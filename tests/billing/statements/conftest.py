import pytest

from billing.statements.statements import Statements
from tests.billing.conftest import house, on_street
from tests.billing.house import House

__all__ = ["house", "on_street"]


@pytest.fixture
def statements(house: House) -> Statements:
    return Statements(house.database, house.clock)
