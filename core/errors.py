"""Errors that cross packages. Each message says what is wrong and what to do."""


class EffenError(Exception):
    """The base of what this product raises on purpose."""


class BadInput(EffenError):
    """What came in cannot be used; nothing was changed."""


class NotFound(EffenError):
    """There is no such thing, or it is not yours to see."""


class Conflict(EffenError):
    """It cannot be done in the present state; nothing was changed."""


class BadSignature(EffenError):
    """A webhook that its sender has not signed as agreed."""


class SendFailed(EffenError):
    """A provider refused a message or could not be reached.

    `code` is the provider's own; `retryable` says whether the same message may be tried again; `uncertain` that the
    provider may have taken it after all (a time-out after the request was sent): then nothing is resent blindly.
    """

    def __init__(
        self, code: str, *, retryable: bool, uncertain: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable
        self.uncertain = uncertain
        self.retry_after = retry_after


class PaymentFailed(EffenError):
    """A payment provider refused an order or could not be reached."""

    def __init__(self, code: str, *, retryable: bool) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable


class EngineFailed(EffenError):
    """The dialogue engine did not answer a turn."""


class IllegalTransition(EffenError):
    """A lifecycle does not go from this state to that one."""
