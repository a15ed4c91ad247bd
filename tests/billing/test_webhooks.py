from urllib.parse import urlencode

import pytest

from billing.links import Link
from core.ids import InvoiceId
from core.lifecycle import PaymentStatus
from core.message import Locale
from payments.sandbox import SIGNATURE
from store.events import PAYMENT_BOOKED
from tests.billing.house import Street


async def paid_unheard(street: Street) -> tuple[InvoiceId, Link, bytes]:
    """A payment that the bank has taken, of which we have not heard; and the notice that would say so."""
    who = await street.house.debtor("K1")
    key = await street.house.invoice(who, "F1", 1000)
    link = await street.house.link(who, [key])
    payment = (await street.payments.start(link, "ideal", Locale("nl"))).rsplit("/", 1)[1]
    assert await street.books.move(payment, PaymentStatus.PAID, street.house.clock.now())
    return key, link, urlencode({"id": payment}).encode()


@pytest.mark.parametrize(
    ("account", "forged", "body", "status", "open_after"),
    [
        pytest.param("bloem", False, None, 200, 0, id="genuine"),
        pytest.param("bloem", True, None, 403, 1000, id="forged"),
        pytest.param("bloem", False, b"{}", 400, 1000, id="unreadable"),
        pytest.param("bloem", False, b"id=sbx_unknown", 200, 1000, id="unknown payment"),
        pytest.param("velo", False, None, 200, 1000, id="another creditor's payment"),
        pytest.param("nobody", False, None, 404, 1000, id="unknown account"),
    ],
)
async def test_a_notice(
    on_street: Street, account: str, forged: bool, body: bytes | None, status: int, open_after: int
) -> None:
    key, _, notice = await paid_unheard(on_street)
    body = notice if body is None else body
    signature = "0" * 64 if forged else on_street.bank.signature(body).decode()
    url = f"{on_street.url}/webhooks/sandbox/{account}"
    async with on_street.http.post(url, data=body, headers={SIGNATURE: signature}) as response:
        assert response.status == status
    assert await on_street.house.open(key) == open_after
    assert on_street.house.refused == (["sandbox"] if forged else [])


async def test_a_replay_books_nothing_more(on_street: Street) -> None:
    _, _, notice = await paid_unheard(on_street)
    headers = {SIGNATURE: on_street.bank.signature(notice).decode()}
    for _ in range(3):
        async with on_street.http.post(
            f"{on_street.url}/webhooks/sandbox/bloem", data=notice, headers=headers
        ) as response:
            assert response.status == 200
    assert await on_street.house.events() == [PAYMENT_BOOKED]
    assert (await on_street.house.accounts())["bank"] == 1000
