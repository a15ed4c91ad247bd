"""What `effen check` says about a creditor's payments."""

from pathlib import Path
from typing import Any

import pytest

from app import creditor_files
from app.check import findings
from app.settings import Settings
from core.creditor import Alerts, Channels, Creditor, Payments, Sms, Webhook
from core.errors import BadInput
from store.database import Database
from store.schema import migrate
from tests.billing.house import BLOEM
from tests.clock import FakeClock
from tests.fakes.shop import SECRET

SET = {"MOLLIE_KEY": "live_x", "STRIPE_KEY": "sk_x", "STRIPE_HOOK": "whsec_x"}


@pytest.mark.parametrize(
    ("country", "rate", "most"),
    [
        ("NL", "4", None),
        ("NL", "4.01", "4 percent"),
        ("BE", "10.5", None),
        ("BE", "11", "10.5 percent"),
        ("NL", "0.5", None),
    ],
)
async def test_no_more_interest_is_agreed_on_than_the_law_lets_consumers_owe(
    database: Database, clock: FakeClock, country: str, rate: str, most: str | None
) -> None:
    agreed = Creditor.model_validate(
        BLOEM.model_dump(mode="json") | {"country": country, "fees": {"interest_rate": rate}}
    )
    if most is None:
        await creditor_files.apply(database, clock, agreed)
    else:
        with pytest.raises(BadInput, match=f"fees.interest_rate is {rate}.*{most} a year at most"):
            await creditor_files.apply(database, clock, agreed)


@pytest.mark.parametrize(
    ("payments", "environment", "said"),
    [
        pytest.param(Payments(), {}, [], id="the sandbox needs none"),
        pytest.param(Payments(provider="mollie", keys={"api_key": "${MOLLIE_KEY}"}), SET, [], id="whole"),
        pytest.param(
            Payments(provider="mollie"), SET, ["payments.keys.api_key is missing: mollie needs it"], id="no keys"
        ),
        pytest.param(
            Payments(provider="stripe", keys={"secret_key": "${STRIPE_KEY}"}),
            SET,
            ["payments.keys.webhook_secret is missing: stripe needs it"],
            id="one of two",
        ),
        pytest.param(
            Payments(provider="mollie", keys={"api_key": "${MOLLIE_KEY}"}),
            {},
            ["payments.keys.api_key names ${MOLLIE_KEY}, and MOLLIE_KEY is not in the environment"],
            id="not set",
        ),
        pytest.param(
            Payments(provider="mollie", keys={"api_key": "live_x"}),
            {},
            ["payments.keys.api_key stands in the file"],
            id="a secret in the file",
        ),
        pytest.param(
            Payments(
                provider="mollie",
                keys={"api_key": "${MOLLIE_KEY}"},
                methods=["ideal", "cowries", "banktransfer"],
                methods_by_risk={"high": ["shells", "ideal"]},
            ),
            SET,
            ["payments.methods: mollie has no cowries", "payments.methods: mollie has no shells"],
            id="methods that the provider does not have",
        ),
        pytest.param(Payments(provider="acme"), {}, ["payments.provider is acme: it is one of"], id="no such provider"),
    ],
)
async def test_payments(
    tmp_path: Path, clock: FakeClock, payments: Payments, environment: dict[str, str], said: list[str]
) -> None:
    settings = Settings(var_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'effen.db'}")
    migrate(settings.store_url)
    database = Database(settings.store_url)
    config: Creditor = BLOEM.model_copy(update={"payments": payments})
    await creditor_files.apply(database, clock, config)
    await database.close()
    found = [each for each in await findings(settings, environment) if "payments." in each]
    assert len(found) == len(said)
    for each, start in zip(found, said, strict=True):
        assert each.startswith(f"bloem: {start}")


@pytest.mark.parametrize(
    ("environment", "url", "secret", "said"),
    [
        pytest.param("production", "https://shop.example/hook", "${HOOK}", [], id="whole"),
        pytest.param("production", "http://shop.example/hook", "${HOOK}", ["webhook.url: a webhook goes"], id="no TLS"),
        pytest.param("production", "https://10.0.0.1/hook", "${HOOK}", ["webhook.url: a webhook goes"], id="private"),
        pytest.param("development", "http://127.0.0.1/hook", "${HOOK}", [], id="in development"),
        pytest.param(
            "development", "https://shop.example/", "${WRONG}", ["webhook.secret: a webhook's"], id="no such secret"
        ),
        pytest.param(
            "development",
            "https://shop.example/",
            "${NONE}",
            ["webhook.secret names ${NONE}, and NONE is not in the environment"],
            id="not set",
        ),
        pytest.param(
            "development", "https://shop.example/", "whsec_x", ["webhook.secret stands in the file"], id="in the file"
        ),
    ],
)
async def test_a_webhook(
    tmp_path: Path, clock: FakeClock, environment: Any, url: str, secret: str, said: list[str]
) -> None:
    settings = Settings(var_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'effen.db'}", environment=environment)
    migrate(settings.store_url)
    database = Database(settings.store_url)
    hook = Webhook(url=url, secret=secret)
    await creditor_files.apply(database, clock, BLOEM.model_copy(update={"webhook": hook}))
    await database.close()
    values = {"HOOK": SECRET, "WRONG": "whsec_short"}
    found = [each for each in await findings(settings, values) if "webhook." in each]
    assert len(found) == len(said)
    for each, start in zip(found, said, strict=True):
        assert each.startswith(f"bloem: {start}")


@pytest.mark.parametrize(("sms", "said"), [(None, 1), (Sms(number="+3197010000001"), 0)], ids=["no SMS", "SMS"])
async def test_nobody_is_woken_by_a_telephone_without_sms(
    tmp_path: Path, clock: FakeClock, sms: Sms | None, said: int
) -> None:
    settings = Settings(var_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'effen.db'}")
    migrate(settings.store_url)
    database = Database(settings.store_url)
    changes = {"alerts": Alerts(urgent="+31600000099"), "channels": Channels(sms=sms)}
    await creditor_files.apply(database, clock, BLOEM.model_copy(update=changes))
    await database.close()
    assert len([each for each in await findings(settings, {}) if "alerts.urgent is a telephone" in each]) == said


async def test_two_creditors_do_not_share_what_their_tokens_are_signed_with(
    database: Database, clock: FakeClock
) -> None:
    shared = BLOEM.model_copy(update={"token_secret": "${SHARED}"})
    await creditor_files.apply(database, clock, shared)
    await creditor_files.apply(database, clock, shared)
    with pytest.raises(BadInput, match="token_secret is another creditor's"):
        await creditor_files.apply(database, clock, shared.model_copy(update={"key": "tulp"}))
