"""Hand-overs: conversations that agents pass to people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tools.retail.models import HandOverRow
from tools.retail.schemas import HandOver

__all__ = ["hand_over", "latest"]


async def hand_over(session: AsyncSession, summary: str) -> HandOver:
    """Record a conversation for people to take over."""
    row = HandOverRow(summary=summary, created_at=datetime.now(UTC))
    session.add(row)
    await session.flush()
    return _hand_over_of(row)


async def latest(session: AsyncSession, limit: int, before: int | None) -> Sequence[HandOver]:
    """Return the newest hand-overs, optionally only those with an id below ``before``."""
    query = select(HandOverRow).order_by(HandOverRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(HandOverRow.id < before)
    return [_hand_over_of(row) for row in await session.scalars(query)]


def _hand_over_of(row: HandOverRow) -> HandOver:
    return HandOver(hand_over_id=row.id, summary=row.summary, created_at=row.created_at)
