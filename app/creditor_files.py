"""Creditors from their YAML files into the store."""

from pathlib import Path

import yaml
from pydantic import ValidationError
from sqlalchemy import select

from billing.charges import too_high
from core.clock import Clock
from core.creditor import Creditor
from core.errors import BadInput
from store.database import Database
from store.tables.people import creditor
from store.upsert import upsert


def read(path: Path) -> Creditor:
    """The creditor in this file. Raises BadInput with each wrong line of it."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: this is not a creditor's YAML; docs/operations.md shows one")
    try:
        return Creditor.model_validate(content)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
        raise BadInput(f"{path}:\n" + "\n".join(lines)) from None


async def apply(db: Database, clock: Clock, config: Creditor) -> None:
    """Create the creditor, or change it. Secrets stay references.

    Raises BadInput for a shared one, and for more interest than the law lets consumers be charged today.
    """
    now = clock.now()
    if wrong := too_high(config, now.astimezone(config.zone).date()):
        raise BadInput(wrong)
    async with db.begin() as tx:
        others = await tx.scalars(select(creditor.c.config).where(creditor.c.id != config.key))
        if config.token_secret and any(other.get("token_secret") == config.token_secret for other in others):
            raise BadInput("token_secret is another creditor's: what one shop signs is then good at the other")
        await upsert(
            tx,
            creditor,
            ("id",),
            ("created_at",),
            id=config.key,
            config=config.model_dump(mode="json", by_alias=True),
            created_at=now,
            updated_at=now,
        )
