"""`effen check`: what is wrong with the configuration, before it hurts."""

from collections import Counter
from collections.abc import Mapping
from itertools import chain

from sqlalchemy import func, select

from app import engine, trained
from app.accounts import SHORTEST_KEY
from app.providers import KEYS, METHODS
from app.settings import Settings, problems
from billing.methods import TRANSFER
from billing.shop import addresses, signature
from conversations.creditors import Creditors
from core.creditor import REFERENCE, Creditor, Webhook
from core.errors import BadInput
from core.lifecycle import WebhookState
from store.database import Database
from store.schema import is_current
from store.tables.webhooks import shop_webhook


async def findings(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """Each with what to do about it."""
    found = problems(settings, environment)
    if not engine.python(settings).exists():
        found.append(f"there is no engine environment at {engine.python(settings)}: run `make install`")
    elif not engine.model(settings).exists():
        found.append("the dialogue is not trained: run `effen train`")
    try:
        trained.answering(settings, trained.understanding(settings))
    except trained.TrainingFailed as error:
        found.append(str(error))
    try:
        current = is_current(settings.store_url)
    except Exception as error:
        return [*found, f"the database cannot be reached ({type(error).__name__}): is EFFEN_DATABASE_URL right?"]
    if not current:
        return [*found, "the schema is behind: run `effen migrate`"]
    db = Database(settings.store_url)
    try:
        creditors = await Creditors(db).all()
        unheard = await _unheard(db)
    finally:
        await db.close()
    if not creditors:
        found.append("there is no creditor: run `effen creditor apply FILE.yml`")
    for creditor in creditors:
        found += [f"{creditor.key}: {finding}" for finding in _of(creditor, settings, environment)]
        if count := unheard.get(creditor.key):
            found.append(f"{creditor.key}: its shop has not heard {count} webhooks: look at /desk/webhooks")
    secrets = Counter(creditor.secret(creditor.token_secret, dict(environment)) for creditor in creditors)
    if any(count > 1 for secret, count in secrets.items() if secret):
        found.append("creditors share a token_secret: what one shop signs is then good at the other; give each its own")
    keys = Counter(creditor.secret(creditor.api_key, dict(environment)) for creditor in creditors)
    if any(count > 1 for key, count in keys.items() if key):
        found.append("creditors share an api_key: it is then nobody's; give each its own")
    return found


def _of(creditor: Creditor, settings: Settings, environment: Mapping[str, str]) -> list[str]:
    found = []
    for place, value in _references(creditor.model_dump(mode="json")):
        name = REFERENCE.match(value)
        if name and not environment.get(name[1]):
            found.append(f"{place} names {value}, and {name[1]} is not in the environment")
    if creditor.api_key:
        if not REFERENCE.match(creditor.api_key):
            found.append("api_key stands in the file: write ${NAME} and set it in the environment")
        if 0 < len(creditor.secret(creditor.api_key, dict(environment)) or "") < SHORTEST_KEY:
            found.append(f"api_key is short: nothing is taken with less than {SHORTEST_KEY} characters")
    if creditor.token_secret and not REFERENCE.match(creditor.token_secret):
        found.append("token_secret stands in the file: write ${NAME} and set it in the environment")
    if (creditor.channels.whatsapp or creditor.channels.sms) and not settings.twilio_account_sid:
        found.append("channels need Twilio, and EFFEN_TWILIO_ACCOUNT_SID is not set")
    if creditor.alerts.urgent.startswith("+") and creditor.channels.sms is None:
        found.append(
            "alerts.urgent is a telephone, and there is no channels.sms: nobody could be woken; give an e-mail"
        )
    provider = creditor.payments.provider
    if provider not in KEYS:
        found.append(f"payments.provider is {provider}: it is one of {', '.join(KEYS)}")
    for key in KEYS.get(provider, ()):
        if not creditor.payments.keys.get(key):
            found.append(f"payments.keys.{key} is missing: {provider} needs it, as ${{NAME}}")
        elif not REFERENCE.match(creditor.payments.keys[key]):
            found.append(f"payments.keys.{key} stands in the file: write ${{NAME}} and set it in the environment")
    found += [f"payments.methods: {provider} has no {method}" for method in _unknown_methods(creditor)]
    if creditor.webhook is not None:
        found += _webhook(creditor.webhook, settings, environment)
    if settings.production and provider == "sandbox":
        found.append("payments.provider is the sandbox: production takes a real one")
    if not creditor.hours.days:
        found.append("there are no opening hours: nobody in trouble can be told when a person will be there")
    return found


def _unknown_methods(creditor: Creditor) -> list[str]:
    """Methods that the creditor names and its provider does not have: it would refuse each payment by them."""
    known = METHODS.get(creditor.payments.provider)
    named = dict.fromkeys(chain(creditor.payments.methods, *creditor.payments.methods_by_risk.values()))
    return [] if known is None else [method for method in named if method != TRANSFER and method not in known]


def _webhook(hook: Webhook, settings: Settings, environment: Mapping[str, str]) -> list[str]:
    found = []
    if settings.production:
        try:
            addresses.check(hook.url)
        except addresses.Refused as error:
            found.append(f"webhook.url: {error}")
    name = REFERENCE.match(hook.secret)
    if name is None:
        found.append("webhook.secret stands in the file: write ${NAME} and set it in the environment")
    elif environment.get(name[1]):
        try:
            signature.key_of(environment[name[1]])
        except BadInput as error:
            found.append(f"webhook.secret: {error}")
    return found


async def _unheard(db: Database) -> Mapping[str, int]:
    query = select(shop_webhook.c.creditor_id, func.count()).where(shop_webhook.c.state == WebhookState.FAILED)
    async with db.read() as tx:
        return {row[0]: row[1] for row in await tx.execute(query.group_by(shop_webhook.c.creditor_id))}


def _references(value: object, place: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, each in value.items() for pair in _references(each, f"{place}.{key}".lstrip("."))]
    if isinstance(value, list):
        return [pair for each in value for pair in _references(each, place)]
    return [(place, value)] if isinstance(value, str) and value.startswith("${") else []
