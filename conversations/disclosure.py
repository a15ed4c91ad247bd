"""Which messages say something about a debt: these reach verified contact points alone."""

# By the first part of the message key. A new family of messages is disclosing until it is named here.
_PUBLIC = frozenset(
    {
        "agent",
        "answer",
        "apology",
        "bot",
        "button",
        "cancel",
        "care",
        "choice",
        "complaint",
        "contact",
        "dispute",
        "goodbye",
        "greet",
        "handoff",
        "help",
        "hardship",
        "identified",
        "intro",
        "language",
        "legitimacy",
        "notice",
        "offers",
        "opt_in",
        "opt_out",
        "out_of_scope",
        "payment_methods",
        "form",
        "not_understood",
        "talk",
        "thank",
        "verify",
        "wrong_person",
    }
)


def discloses(key: str) -> bool:
    """Whether the message may tell that somebody owes, owed or bought something."""
    return key.partition(".")[0] not in _PUBLIC
