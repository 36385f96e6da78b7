"""What the doctor says of the database, the model, the clock and the sources; and of everything with nothing configured."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from collections.abc import Sequence
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from rich.console import Console

from bot.doctor.findings import Area, Finding, State
from bot.doctor.machine import examine_clock, examine_database, examine_model, examine_sources
from bot.doctor.rounds import examine, examine_all
from bot.doctor.view import findings_view
from bot.domain.entries import Source
from bot.sources.reader import SourceReader
from config.settings import HERE, Settings
from tests.fakes.clock import START
from tests.sources.kit import item, rss
from tests.sources.server import WebServer
from tests.storage.kit import opened, url_of


def states(findings: Sequence[Finding]) -> dict[str, str]:
    assert all(f.mend for f in findings if f.state is not State.OK)
    return {f.name: f.state.value for f in findings}


# the database


async def test_a_store_that_is_well(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path) as store:
        await store.status()
    found = states(await examine_database(url_of(tmp_path)))
    assert found == {"open": "ok", "schema": "ok", "write": "ok"} | ({"integrity": "ok"} if database == "sqlite" else {})


async def test_looking_makes_no_file_and_no_table(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.db'}"
    (finding,) = await examine_database(url)
    assert (finding.state, os.listdir(tmp_path)) == (State.OK, [])
    sqlite3.connect(tmp_path / "new.db").close()
    (tmp_path / "new.db").touch()
    assert states(await examine_database(url))["schema"] == "warn"
    with sqlite3.connect(tmp_path / "new.db") as had:
        assert had.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    had.close()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite+aiosqlite:////nowhere/at/all/attache.db", "file"),
        ("nonsense", "address"),
        ("postgresql://attache:hunter22@127.0.0.1:1/attache", "open"),
    ],
)
async def test_a_store_that_is_not_to_be_had(url: str, name: str) -> None:
    (finding,) = await examine_database(url)
    assert (finding.name, finding.state) == (name, State.FAIL)
    assert finding.mend
    assert "hunter22" not in finding.said


async def test_a_file_that_is_no_database_and_one_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "attache.db").write_bytes(b"a letter, not a database" * 100)
    assert states(await examine_database(url_of(tmp_path))) == {"open": "fail"}
    (tmp_path / "attache.db").unlink()
    async with opened(tmp_path) as store:
        await store.status()
    whole = bytearray((tmp_path / "attache.db").read_bytes())
    half = len(whole) // 2
    whole[half:] = os.urandom(4_096) * ((len(whole) - half) // 4_096)
    (tmp_path / "attache.db").write_bytes(whole)
    assert "fail" in states(await examine_database(url_of(tmp_path))).values()


async def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.status()
    busy = sqlite3.connect(f"file:{tmp_path / 'attache.db'}?mode=ro", uri=True)
    busy.close()
    found = await examine_database(f"sqlite+aiosqlite:///file:{tmp_path / 'attache.db'}?mode=ro&uri=true")
    assert any(f.state is State.FAIL for f in found)


# the model


async def test_the_shipped_model_judges_a_sentence() -> None:
    (finding,) = await examine_model(str(HERE / "model"))
    assert finding.state is State.OK
    assert "trade deal 1.0" in finding.said or "trade deal 0.9" in finding.said


async def test_a_model_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "heads.json").write_text("{}")
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    (finding,) = await examine_model(str(tmp_path))
    assert (finding.name, finding.state) == ("load", State.FAIL)


# the clock


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (29, "ok"), (-31, "warn"), (299, "warn"), (301, "fail")])
def test_the_clock_is_compared_with_the_servers(seconds: int, state: str) -> None:
    (finding,) = examine_clock({"Slack": format_datetime(START + timedelta(seconds=seconds)), "Discord": None}, START)
    assert finding.state.value == state
    assert f"{abs(seconds)} s off Slack" in finding.said


@pytest.mark.parametrize("dates", [{}, {"Slack": None}, {"Slack": "yesterday"}, {"Slack": "Mon, 02 Mar 2026 12:00:00 -0000"}])
def test_with_nothing_to_compare_the_clock_passes(dates: dict[str, str | None]) -> None:
    assert states(examine_clock(dates, START)) == {"skew": "ok"}


# the sources


async def test_five_sources_are_read_one_of_each_group_first() -> None:
    async with WebServer() as web, SourceReader(allow_private=True, agent="doctor") as reader:
        web.put("/feed", rss(item("a"), item("b")))
        listed = [Source(name=f"s{n}", url=web.url("/feed" if n else "/none"), group=("press", "official")[n == 7]) for n in range(8)]
        found = await examine_sources(listed, reader, START)
        assert states(found) == {"s0": "warn", "s7": "ok", "s1": "ok", "s2": "ok", "s3": "ok"}
        assert "2 entries in" in found[1].said or "2 entries in" in found[2].said
        (alone,) = await examine_sources(listed[:1], reader, START)
        assert alone.state is State.FAIL
        assert states(await examine_sources([], reader, START)) == {"list": "fail"}


# the round


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and none of our variables."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTACHE_SOURCES", str(tmp_path / "sources.yaml"))
    (tmp_path / "sources.yaml").write_text("- {name: Quay, url: 'http://127.0.0.1:9/feed'}\n")
    return tmp_path


async def test_with_nothing_configured_every_area_has_its_lines(bare: Path) -> None:
    found = await examine()
    assert [f.area for f in found] == ["settings", "clock", "database", "model", "slack", "discord", "sources"]
    assert [f.said for f in found if f.area in ("slack", "discord")] == ["not set up", "not set up"]
    assert os.listdir(bare) == ["sources.yaml"]


async def test_a_setting_that_makes_no_sense_is_named_and_the_rest_is_looked_at(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_ALERT_CHANNEL", "C1")
    found = await examine()
    assert (found[0].area, found[0].name, found[0].state) == ("settings", "SLACK_BOT_TOKEN", State.FAIL)
    assert len(found) > 5
    monkeypatch.setenv("PORT", "a lot")
    (only,) = await examine()
    assert (only.name, only.state) == ("PORT", State.FAIL)


async def test_a_list_of_sources_that_cannot_be_read(bare: Path) -> None:
    (bare / "sources.yaml").write_text("nonsense")
    found = await examine_all(Settings())
    assert [(f.name, f.state.value) for f in found if f.area == "sources"] == [("list", "fail")]


def test_the_table_has_a_line_for_each_and_says_how_to_mend() -> None:
    area = Area("slack")
    found = [area.ok("a", "fine \x1b[31m"), area.warn("b", "odd", "look"), area.fail("c", "xoxb-secret-1 is broken", "mend it so")]
    out = io.StringIO()
    Console(file=out, width=100).print(findings_view(found))
    shown = out.getvalue()
    assert all(word in shown for word in ("✓ ok", "! warn", "→ look", "✗ fail", "→ mend it so", "1 ok, 1 warn, 1 fail"))
    assert "\x1b" not in shown
    assert "xoxb-secret" not in shown


async def test_the_command_prints_it_and_says_by_its_code_whether_all_is_well(bare: Path) -> None:
    import asyncio

    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "doctor", stdout=-1, stderr=-1, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    )
    out, err = await made.communicate()
    assert (made.returncode, err) == (1, b"")  # its one source does not answer
    assert b"trade deal" in out
