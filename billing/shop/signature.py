"""Signing a webhook so that the shop knows that it is ours: Standard Webhooks 1.0, symmetric.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from core.errors import BadInput

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes of a secret, as the specification has it


def key_of(secret: str) -> bytes:
    """The key in `whsec_<base64>`. Raises BadInput."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise BadInput(f"a webhook's secret is {_PREFIX} and {_SHORTEST} to {_LONGEST} random bytes in base64")
    return key


def headers(secret: str, identifier: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The three headers of an attempt. Raises BadInput for a secret that is none."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((identifier.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
    return {"webhook-id": identifier, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}
