"""After a silence: a form left open for hours is asked about in one line; who comes back after days is told where
they stand."""

from datetime import timedelta

from conversations.reading import Reading
from conversations.wishes import RESUME, option
from core.message import Option, Say

# After so long nobody has a form's question in mind: what they write is heard by itself.
FORM_LIFE = timedelta(hours=4)
# After so long somebody comes back.
AWAY = timedelta(days=2)
# Words that can only be meant for the question.
_ANSWERS = frozenset({"inform", "affirm", "deny", "cancel"})


def leaves(heard: Reading, form: str | None) -> bool:
    """Whether a message that comes long after a form's question is about something else."""
    own = form is not None and heard.intent.partition("/")[0] == form.removesuffix("_form")
    return form is not None and not own and not heard.tapped and heard.intent not in _ANSWERS


def resume(wanted: str | None, heard: Reading) -> list[Say]:
    """The form that was left, in one line: for what it was (`wanted`), unless that has just been asked for anew."""
    if not wanted or wanted == heard.intent:
        return []
    return [Say(RESUME, {}, [option(wanted, "", []), Option("option.no", "deny")])]
