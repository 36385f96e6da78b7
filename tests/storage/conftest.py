"""A store of its own for every test, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.store import SqlStore
from tests.storage.kit import opened


@pytest.fixture
async def store(tmp_path: Path, database: str) -> AsyncIterator[SqlStore]:
    async with opened(tmp_path) as store:
        yield store
