"""Who did what in the desk: appended in the transaction of the deed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.agent import Agent
from store.tables.staff import audit


async def record(
    tx: AsyncConnection,
    agent: Agent,
    action: str,
    subject: str,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """`subject` is the id of what the action was done to; `detail` holds ids and codes, never text of people."""
    await tx.execute(
        insert(audit).values(
            creditor_id=agent.creditor,
            agent_id=agent.id,
            action=action,
            subject=subject,
            detail=dict(detail or {}),
            at=now,
        )
    )
