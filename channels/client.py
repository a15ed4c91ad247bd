"""What a web client has sent with its message: read strictly, because anybody can send anything."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import BadInput
from core.ids import new_id, new_secret

# A session that we have made has 128 random bits (22 characters); a shorter one could be guessed.
_SESSION = re.compile(r"[A-Za-z0-9_.:-]{22,128}")
_LONGEST = {"creditor": 64, "locale": 35, "token": 4_096, "message_id": 128, "button": 64}


@dataclass(frozen=True, slots=True)
class Details:
    """The fields beside a message: `customData` or `metadata`."""

    creditor: str | None = None
    locale: str | None = None
    token: str | None = None
    message_id: str = ""
    button: str | None = None


def details(*sources: object) -> Details:
    """The fields of the first source that has them; unknown ones are left alone. Raises BadInput."""
    found: dict[str, str] = {}
    for source in sources:
        if source is None:
            continue
        if not isinstance(source, Mapping):
            raise BadInput("customData and metadata are objects.")
        for name, longest in _LONGEST.items():
            value = source.get(name)
            if value is None or name in found:
                continue
            if not isinstance(value, str) or len(value) > longest:
                raise BadInput(f"“{name}” is a string of at most {longest} characters.")
            if value:
                found[name] = value
    return Details(
        creditor=found.get("creditor"),
        locale=found.get("locale"),
        token=found.get("token"),
        message_id=found.get("message_id") or new_id(),
        button=found.get("button"),
    )


def text(value: object) -> str:
    """The words of a message. Raises BadInput; NUL and lone surrogates cannot be stored anywhere and are dropped."""
    if not isinstance(value, str):
        raise BadInput("“message” is a string.")
    return value.replace("\x00", "").encode("utf-8", "ignore").decode()


def session(value: object) -> str:
    """The client's session where it is too long to guess, else a fresh one of 128 random bits."""
    return value if isinstance(value, str) and _SESSION.fullmatch(value) else new_secret()


def body(raw: bytes) -> Mapping[str, Any]:
    """A JSON object, whatever its content type says. Raises BadInput."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadInput("The body is not JSON.") from None
    if not isinstance(value, Mapping):
        raise BadInput("The body is not a JSON object.")
    return value
