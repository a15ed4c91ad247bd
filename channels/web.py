"""Web chat and REST: messages in Rasa's own shapes, so that Rasa's chat widgets can show them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from core.creditor import Creditor
from core.errors import BadInput, BadSignature
from core.message import MAX_TEXT, Address, Inbound, Limits, Receipt, Rendered, Webhook

WEB = Limits(text=MAX_TEXT, buttons=10, button_title=40, images=True, links=True)
REST = Limits(text=MAX_TEXT, buttons=10, button_title=40, images=True)

# Where a rendered message goes: the creditor's key, the session, and one `bot_uttered`.
Emit = Callable[[str, Address, Mapping[str, Any]], Awaitable[None]]


class Chat(Protocol):
    """What the conversation does for its two direct doors; `app` fills it.

    `creditor` is a key, `session` only addresses a conversation and proves nothing, `token` is the shop's signed one,
    `remote` the client's network address. Each raises NotFound for an unknown creditor and BadInput for what it
    cannot use.
    """

    async def creditor(self, key: str | None) -> Creditor:
        """The creditor of this key; without a key the only one. Raises NotFound."""
        ...

    async def open(
        self, creditor: str, session: str, *, locale: str | None, token: str | None, remote: str
    ) -> Sequence[Mapping[str, Any]]:
        """What this session may see of its conversation, oldest first, shaped as `bot_uttered`."""
        ...

    async def receive(
        self,
        creditor: str,
        session: str,
        text: str,
        *,
        button: str | None,
        message_id: str,
        locale: str | None,
        token: str | None,
        remote: str,
    ) -> None:
        """Stores one message from the web chat; the answer comes over `Emit`."""
        ...

    async def ask(
        self,
        creditor: str,
        sender: str,
        text: str,
        *,
        message_id: str,
        locale: str | None,
        token: str | None,
        remote: str,
        seconds: float,
    ) -> Sequence[Rendered]:
        """Stores one REST message and waits for its turn, `seconds` at most; what is said later comes next time."""
        ...


class Web:
    """Web chat (`web`) or the REST channel (`rest`): nothing leaves the house, so an id sent twice is shown once."""

    idempotent = True

    def __init__(self, name: str, limits: Limits, emit: Emit) -> None:
        self.name = name
        self.limits = limits
        self._emit = emit

    def verify(self, webhook: Webhook) -> None:
        """No provider signs for this channel: messages come in over socket.io and REST."""
        raise BadSignature(f"The channel {self.name} has no webhook.")

    def parse(self, webhook: Webhook) -> Sequence[Inbound | Receipt]:
        raise BadInput(f"The channel {self.name} has no webhook.")

    async def send(self, message: Rendered) -> str:
        """Our own id: the room is written to, whoever is in it; the rest is read on the next `session_request`."""
        for payload in utterances(message):
            await self._emit(message.account, message.address, payload)
        return message.id


def utterances(message: Rendered) -> list[dict[str, Any]]:
    """A message as one or two `bot_uttered`, the second for its picture.

    rasa-webchat shows an utterance only when its keys, `metadata` aside, are `text`, or `text` and `quick_replies`,
    or `attachment`. Everything of ours is in `metadata`; both utterances carry the same id there, and our own widget,
    which shows `metadata.image`, shows an id once.
    """
    metadata = {
        "id": message.id,
        "author": message.author,
        "name": message.name,
        "at": message.at.isoformat() if message.at else None,
        "choices": [{"id": choice.id, "title": choice.title, "url": choice.url} for choice in message.choices],
        "image": message.image,
    }
    said: dict[str, Any] = {"text": message.text}
    if message.choices:
        said["quick_replies"] = [
            {"content_type": "text", "title": choice.title, "payload": choice.id}
            | ({"type": "web_url", "url": choice.url} if choice.url else {})
            for choice in message.choices
        ]
    result = [said | {"metadata": metadata}]
    if message.image:
        result.append({"attachment": {"type": "image", "payload": {"src": message.image}}, "metadata": metadata})
    return result


def answer(message: Rendered, recipient: str) -> dict[str, Any]:
    """A message as one entry of the REST channel's answer; keys without a value are left out, as Rasa does."""
    result: dict[str, Any] = {"recipient_id": recipient, "text": message.text}
    if message.choices:
        result["buttons"] = [{"title": choice.title, "payload": choice.id} for choice in message.choices]
    if message.image:
        result["image"] = message.image
    return result
