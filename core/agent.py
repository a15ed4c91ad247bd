"""The people who work in the desk, and what their roles may."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors import EffenError
from core.ids import AgentId, CreditorKey


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    MARKETER = "marketer"
    ADMIN = "admin"
    CARE = "care"


class Right(StrEnum):
    TALK = "talk"  # read conversations, take them, answer
    CARE = "care"  # the same for conversations with somebody in crisis
    RELIEVE = "relieve"  # take a conversation from a colleague
    TEACH = "teach"  # judge what the bot was not sure of
    REPORT = "report"  # see what came in on a day, and what the shop has not heard
    BOOK = "book"  # say whose a payment on the bank statement is
    REFUND = "refund"  # pay back what was paid too much


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.AGENT: frozenset({Right.TALK, Right.BOOK}),
    Role.SUPERVISOR: frozenset({Right.TALK, Right.RELIEVE, Right.TEACH, Right.BOOK, Right.REPORT, Right.REFUND}),
    Role.MARKETER: frozenset(),
    Role.ADMIN: frozenset({Right.TALK, Right.RELIEVE, Right.TEACH, Right.BOOK, Right.REPORT, Right.REFUND}),
    Role.CARE: frozenset({Right.TALK, Right.CARE, Right.RELIEVE}),
}


class NotAllowed(EffenError):
    """Your role may not see or do this."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who is at work; sees the conversations of one creditor."""

    id: AgentId
    creditor: CreditorKey
    email: str
    name: str
    role: Role

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]

    def reads(self, *, care: bool, holder: str | None) -> bool:
        """Whether this agent may read a conversation; `care`: with somebody in crisis; `holder`: the agent who has it.

        Whoever is talking with somebody when the crisis comes is not cut off: she goes on until the care team takes it.
        """
        return self.may(Right.TALK) and (not care or self.may(Right.CARE) or holder == self.id)
