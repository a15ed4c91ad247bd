"""Questions about products, terms and orders, answered from what the creditor has published."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.services import Answer, Order, Services, Suggestions
from bot.actions.turn import Events, entity, say, turn_id
from bot.actions.wish import Wish
from conversations.context import TurnContext
from core.ids import CreditorKey, DebtorId
from core.message import Locale, Option

QUESTIONS = ("ask_product", "ask_return", "ask_pay_later_terms", "ask_offers")
_SUGGESTED = 3
_LANGUAGES = ("nl", "en", "fr", "de")
_STOCK = ("in_stock", "out_of_stock", "preorder", "backorder")
_ASK_A_PERSON = (Option("option.yes_human", "human"), Option("option.no", "deny"))


class Question(Action):
    """Answers what is published, offers what is near, and else says that it does not know."""

    def __init__(self, services: Services, intent: str) -> None:
        self._services = services
        self._intent = intent

    def name(self) -> str:
        return f"action_{self._intent}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        context = await self._services.contexts.of(turn_id(tracker))
        # A tap on a suggestion carries the stored question.
        asked = entity(tracker, "question") or context.text
        found = await self._services.answers.find(CreditorKey(context.creditor.key), asked, context.locale)
        if found is None:
            say(dispatcher, "answer.none", _ASK_A_PERSON)
        elif isinstance(found, Suggestions):
            near = [
                Option("option.question", self._intent, {"question": question}, {"question": question})
                for question in found.questions[:_SUGGESTED]
            ]
            say(dispatcher, "answer.suggestions", [*near, Option("option.human", "human")])
        else:
            say_answer(dispatcher, found, context.locale)
        return []


def say_answer(dispatcher: CollectingDispatcher, found: Answer, locale: Locale) -> None:
    """In the source's words, with its name and its link; and that it is in another language, where it is."""
    text: Any = found.text
    if found.language != locale:
        text = {"key": "answer.only_elsewhere", "args": {"text": found.text}}
        if found.language in _LANGUAGES:
            language = {"key": f"answer.language.{found.language}"}
            text = {"key": "answer.only_in", "args": {"text": found.text, "language": language}}
    if found.link:
        say(dispatcher, "answer.found_link", text=text, link=found.link, source=_source(found))
    else:
        say(dispatcher, "answer.found", text=text, source=_source(found))


def _source(found: Answer) -> dict[str, Any]:
    """The question that it answers, or the product with its price and whether there is any."""
    args: dict[str, Any] = {"name": found.source}
    if found.price is None:
        return {"key": "answer.source", "args": args}
    args["price"] = {"money": found.price.as_json()}
    if found.availability not in _STOCK:
        return {"key": "answer.product_price", "args": args}
    return {"key": "answer.product_stock", "args": {**args, "stock": {"key": f"answer.stock.{found.availability}"}}}


class AskOrderStatus(Wish):
    intent = "ask_order_status"

    async def fulfil(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, context: TurnContext, debtor: DebtorId
    ) -> Events:
        number = entity(tracker, "order_number")
        orders = await self.services.orders.of(debtor, number)
        if not orders and number:  # perhaps a number of another kind: tell what there is
            orders = await self.services.orders.of(debtor)
        if not orders:
            say(dispatcher, "orders.none", _ASK_A_PERSON)
            return []
        rows = [_row(order) for order in orders]
        say(dispatcher, "orders.list", n=len(rows), rows={"rows": rows, "key": "orders.row"})
        if len(orders) == 1:
            _say_more(dispatcher, orders[0])
        return []


def _row(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "ordered_at": {"date": order.ordered_at.isoformat()},
        "status": {"key": f"orders.status.{order.status}"},
    }


def _say_more(dispatcher: CollectingDispatcher, order: Order) -> None:
    if order.expected_at and order.status in ("processing", "shipped"):
        say(dispatcher, "orders.expected", number=order.number, expected_at={"date": order.expected_at.isoformat()})
    if order.tracking_url:
        if order.carrier:
            say(dispatcher, "orders.tracking", number=order.number, carrier=order.carrier, url=order.tracking_url)
        else:
            say(dispatcher, "orders.tracking_plain", number=order.number, url=order.tracking_url)
