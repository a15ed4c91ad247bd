"""Understanding inside Rasa's pipeline: for `rasa shell` and `rasa test`. The app sends its parse with each message."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message

_PLACE = "EFFEN_MODEL_DIR"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Meaning(GraphComponent):
    """Loads the model when a message first comes without a parse: it costs the engine 330 MB."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._understanding: Any = None

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"model": ""}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Meaning:
        # config.yml cannot name the environment: its values are kept in the trained model.
        return cls(Path(config["model"] or os.environ.get(_PLACE, "var/model")))

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get("text") or ""
            parse = self._load().parse(text).for_engine()
            message.set("intent", parse["intent"], add_to_output=True)
            message.set("intent_ranking", parse["intent_ranking"], add_to_output=True)
            message.set("entities", parse["entities"], add_to_output=True)
        return messages

    def _load(self) -> Any:
        if self._understanding is None:
            import understanding

            self._understanding = understanding.load(self._place)
        return self._understanding
