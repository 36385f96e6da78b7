"""Installations as they are kept, on either database: one a workspace, sealed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.domain.errors import SettingsError
from bot.ports import Installation
from bot.sealing import Seal
from bot.storage.store import SqlStore
from tests.fakes.clock import START

FIRST, SECOND = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
ONE = Installation(
    team="T1", name="Harbour", token="xoxb-1", bot_user="U1", scopes=("chat:write", "commands"), installed_by="slack:U2", installed_at=START
)


async def test_an_installation_is_kept_replaced_and_forgotten(store: SqlStore) -> None:
    kept = store.installations(Seal([FIRST]))
    assert await kept.installation("T1") is None
    await kept.install(ONE)
    await kept.install(replace(ONE, team="T2", token="xoxb-2", scopes=()))
    await kept.install(replace(ONE, token="xoxb-3"))
    assert await kept.installation("T1") == replace(ONE, token="xoxb-3")
    assert await kept.installation("T2") == replace(ONE, team="T2", token="xoxb-2", scopes=())
    assert [await kept.uninstall("T1"), await kept.uninstall("T1")] == [True, False]
    assert [await kept.installation(team) is None for team in ("T1", "T2")] == [True, False]


async def test_a_new_key_goes_in_front_of_the_old_one(store: SqlStore) -> None:
    await store.installations(Seal([FIRST])).install(ONE)
    assert await store.installations(Seal([SECOND, FIRST])).installation("T1") == ONE
    with pytest.raises(SettingsError, match="T1") as raised:
        await store.installations(Seal([SECOND])).installation("T1")
    assert "xoxb" not in str(raised.value)
