"""Why a statement's file is not taken; nothing was changed then."""

from typing import Any

from core.errors import BadInput


class Refused(BadInput):
    """`code` and `args` are those of the text `desk.statement.refused.<code>`."""

    def __init__(self, code: str, **args: Any) -> None:
        super().__init__(f"{code}: {', '.join(f'{name} {value}' for name, value in args.items())}")
        self.code = code
        self.args_of_text = args
