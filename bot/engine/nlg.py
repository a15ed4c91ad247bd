"""What the domain's responses say: a message key and its options, never prose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa.core.nlg import TemplatedNaturalLanguageGenerator


class Keys(TemplatedNaturalLanguageGenerator):
    """Turns `custom: {key: talk.greet, options: [pay]}` into a say; an option is an intent with its own title.

    Rasa keeps the responses of this base class up to date with the model. A response of any other shape fails the turn:
    Rasa's own generator would stay silent.
    """

    def __init__(self, endpoint_config: Any, domain: Any) -> None:
        super().__init__(domain.responses)

    async def generate(self, utter_action: str, tracker: Any, output_channel: str, **kwargs: Any) -> dict[str, Any]:
        response = self.responses[utter_action][0]["custom"]
        options = [_option(option) for option in response.get("options", [])]
        return {"custom": {"key": response["key"], "args": {}, "options": options}}


def _option(option: str | Mapping[str, str]) -> dict[str, Any]:
    if isinstance(option, str):
        option = {"intent": option}
    intent = option["intent"]
    return {"title": option.get("title", f"option.{intent}"), "intent": intent, "args": {}, "entities": {}}
