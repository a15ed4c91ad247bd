import pytest

from billing.methods import methods_for
from core.creditor import Payments
from tests.billing.house import BLOEM


@pytest.mark.parametrize(
    ("risk", "offered"),
    [
        pytest.param(None, ["ideal", "creditcard", "banktransfer"], id="no class"),
        pytest.param("low", ["ideal", "creditcard", "banktransfer"], id="a class without a list"),
        pytest.param("high", ["ideal", "banktransfer"], id="less, in the creditor's order"),
        pytest.param("blocked", [], id="none"),
    ],
)
def test_methods(risk: str | None, offered: list[str]) -> None:
    by_risk = {"high": ["banktransfer", "ideal", "cowries"], "blocked": list[str]()}
    payments = Payments(methods=["ideal", "creditcard", "banktransfer"], methods_by_risk=by_risk)
    assert methods_for(BLOEM.model_copy(update={"payments": payments}), risk) == offered
