"""PostgreSQL is stopped and started again under the processes that stand on it: they live on, say so, and go on; nothing is lost or twice."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pytest
from sqlalchemy.engine import make_url

from bot.domain.errors import SettingsError
from bot.jobs import OnlyOne, make_queue
from bot.jobs import opened as reachable
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.feed_server import FeedServer
from tests.fakes.slack_server import FakeSlack
from tests.fakes.world import News, deals
from tests.postgres import Server, serving
from tests.test_trouble import ALERTS, headlines, paper
from tests.trouble import free_port, until, until_ready

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of these tests' own: nobody else's connections break."""
    with TemporaryDirectory(prefix="attache-postgres-") as folder:
        Path(folder).chmod(0o755)
        with serving(Path(folder)) as it:
            yield it


@dataclass
class Processes:
    """Processes of one installation by name, each with a port to ask and a file of its own for what it logs."""

    folder: Path
    env: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str) -> None:
        """Start `attache ROLE` under a name such as clock-2."""
        self.ports[name] = free_port()
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", name.partition("-")[0],
                env=self.env | {"ATTACHE_HTTP_PORT": str(self.ports[name])}, stdout=log, stderr=log,
            )  # fmt: skip

    async def once(self, role: str) -> None:
        """Run a role that ends by itself, and see that it ends well."""
        await self.start(role)
        del self.ports[role]
        assert await self.running.pop(role).wait() == 0

    async def end(self) -> dict[str, tuple[int | None, bool]]:
        """End them all by SIGTERM; return of each its exit code, and whether it took less than ten seconds."""
        began = time.monotonic()
        for process in self.running.values():
            if process.returncode is None:
                process.terminate()
        return {name: (await process.wait(), time.monotonic() - began < 10) for name, process in self.running.items()}

    def log(self, name: str) -> list[dict[str, Any]]:
        whole, _, _ = (self.folder / f"{name}.log").read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def said(self, name: str, event: str) -> int:
        """Return how often a process logged an event."""
        return sum(line["event"] == event for line in self.log(name))


@asynccontextmanager
async def installed(
    folder: Path, url: str, feeds: FeedServer, slack: FakeSlack, discord: FakeDiscord, **env: str
) -> AsyncIterator[Processes]:
    sources = folder / "sources.yaml"
    sources.write_text(f"- {{name: Paper, url: '{feeds.url('/a')}', kind: feed, interval: 1}}\n")
    processes = Processes(folder, {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "ATTACHE_SOURCES": str(sources),
        "ATTACHE_ALLOW_PRIVATE_SOURCES": "1",
        "ATTACHE_DATABASE_URL": url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_ALERT_CHANNEL": ALERTS,
        "SLACK_API_URL": slack.api_url,
        "DISCORD_BOT_TOKEN": TOKEN,
        "DISCORD_ALERT_CHANNEL": "100",
        "DISCORD_API_URL": discord.api_url,
        **env,
    })  # fmt: skip
    try:
        yield processes
    finally:
        for process in processes.running.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def platforms() -> AsyncIterator[tuple[FeedServer, FakeSlack, FakeDiscord]]:
    async with FeedServer() as feeds, FakeSlack() as slack, FakeDiscord(token=TOKEN) as discord:
        feeds.put("/a", paper([]))
        yield feeds, slack, discord


def has(slack: FakeSlack, discord: FakeDiscord, news: list[News]) -> bool:
    return len(headlines(slack, news)) >= len(news) and len(discord.messages) >= len(news)


async def away_and_back(server: Server, processes: Processes, feeds: FeedServer, news: list[News]) -> None:
    """Stop the server, let news come, see that every process says that it is not ready and lives, and start it again."""
    await asyncio.to_thread(server.stop)
    feeds.put("/a", paper(news))
    await until_ready(False, *processes.ports.values())
    await asyncio.sleep(2.0)  # long enough for every loop to meet the trouble
    assert {name: process.returncode for name, process in processes.running.items()} == dict.fromkeys(processes.running)
    await asyncio.to_thread(server.start)


async def work_under_way(feeds: FeedServer) -> None:
    """Have a poll under way that takes for ever."""
    seen = feeds.hits("/a")
    feeds.drip("/a", paper([]), seconds_per_byte=1.0)
    await until(lambda: feeds.hits("/a") > seen + 1)


def check_logs(processes: Processes) -> None:
    for name in processes.running:
        assert processes.said(name, "store_trouble") == processes.said(name, "store_well_again") == 1, name
        assert [line for line in processes.log(name) if "exception" in line and "listener error" not in line["event"]] == [], name


async def test_one_process_outlives_its_server(tmp_path: Path, server: Server) -> None:
    news = deals(4)
    async with platforms() as (feeds, slack, discord):
        with server.database() as url:
            async with installed(tmp_path, url, feeds, slack, discord) as processes:
                await processes.start("run")
                await until_ready(True, *processes.ports.values())
                await until(lambda: feeds.hits("/a"))
                feeds.put("/a", paper(news[:2]))
                await until(lambda: processes.said("run", "delivery_sent") == 4)
                await away_and_back(server, processes, feeds, news)
                await until(lambda: has(slack, discord, news))
                await until_ready(True, *processes.ports.values())
                assert "Status" in (await slack.type("status")).text
                ended = await processes.end()
                check_logs(processes)
    assert ended == {"run": (0, True)}
    assert sorted(headlines(slack, news)) == sorted(n.title for n in news)
    assert len(discord.messages) == len(news)


async def test_every_role_outlives_its_server(tmp_path: Path, server: Server) -> None:
    news, port = deals(4), free_port()
    secret = {"SLACK_SIGNING_SECRET": FakeSlack.signing_secret, "PORT": str(port)}
    async with platforms() as (feeds, slack, discord):
        with server.database() as url:
            async with installed(tmp_path, url, feeds, slack, discord, **secret) as processes:
                await processes.once("migrate")
                for name in ("clock-1", "clock-2", "worker-1", "web", "discord"):
                    await processes.start(name)
                await until_ready(True, *processes.ports.values())
                await until(lambda: feeds.hits("/a"))
                feeds.put("/a", paper(news[:2]))
                await until(lambda: processes.said("worker-1", "delivery_sent") == 4)
                await away_and_back(server, processes, feeds, news)
                await until(lambda: has(slack, discord, news))
                await until_ready(True, *processes.ports.values())
                assert "Status" in (await slack.type_http(f"http://127.0.0.1:{port}/slack/events", "status")).text
                assert "Entries" in (await discord.type("status")).text
                await work_under_way(feeds)
                ended = await processes.end()
                check_logs(processes)
    assert ended == dict.fromkeys(processes.running, (0, True))
    assert [name for name in processes.running if processes.said(name, "stopped_hard")] == []
    assert sorted(headlines(slack, news)) == sorted(n.title for n in news)
    assert len(discord.messages) == len(news)


class Wire:
    """A way to the server that can go silent, as a network does: nothing passes, and nobody is told. `cut` is when the server notices."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._behind = f"{make_url(server.uri).query['host']}/.s.PGSQL.5432"
        self._folder = folder
        self._open = asyncio.Event()
        self._pumps: list[asyncio.Task[None]] = []
        self._ends: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._open.set()
        self._door = await asyncio.start_unix_server(self._connected, self._folder / ".s.PGSQL.5432")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._door.close()
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def silence(self) -> None:
        self._open.clear()

    def cut(self) -> None:
        for end in self._ends:
            end.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._behind)
        self._ends.append(back)
        self._pumps += [asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))]

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@dataclass
class Deciding:
    """What a clock does while it may: counts itself in."""

    at_it: int = 0
    most: int = 0

    async def __call__(self) -> None:
        self.at_it += 1
        self.most = max(self.most, self.at_it)
        try:
            await asyncio.Event().wait()
        finally:
            self.at_it -= 1


async def test_a_clock_that_hears_nothing_from_its_server_stops_deciding_before_another_begins(tmp_path: Path, server: Server) -> None:
    first, second, quick = Deciding(), Deciding(), timedelta(milliseconds=50)
    through = make_url(server.uri).update_query_dict({"host": str(tmp_path)}).render_as_string(hide_password=False)
    async with Wire(server, tmp_path) as wire:
        clocks = [asyncio.create_task(OnlyOne(through, again=quick, alive=0.3).hold(first))]
        await until(lambda: first.at_it)
        clocks.append(asyncio.create_task(OnlyOne(server.uri, again=quick).hold(second)))
        wire.silence()
        await until(lambda: not first.at_it)
        assert not second.at_it  # the server still keeps the right for the first
        wire.cut()
        await until(lambda: second.at_it)
        assert not first.at_it
        for clock in clocks:
            clock.cancel()
        await asyncio.gather(*clocks, return_exceptions=True)
    assert (first.most, second.most) == (1, 1)


async def test_a_start_without_a_server_says_so_in_a_line(tmp_path: Path) -> None:
    queue = make_queue(f"postgresql://somebody:hush@/attache?host={tmp_path}")
    with pytest.raises(SettingsError, match=r"^ATTACHE_DATABASE_URL: the database cannot be reached") as caught:
        async with reachable(queue, seconds=0.5):
            pass
    assert "hush" not in str(caught.value)


async def test_every_role_stops_in_time_without_its_server(tmp_path: Path, server: Server) -> None:
    async with platforms() as (feeds, slack, discord):
        with server.database() as url:
            async with installed(tmp_path, url, feeds, slack, discord) as processes:
                await processes.once("migrate")
                for name in ("clock", "worker", "discord"):
                    await processes.start(name)
                await until_ready(True, *processes.ports.values())
                await work_under_way(feeds)
                await asyncio.to_thread(server.stop)
                try:
                    ended = await processes.end()
                finally:
                    await asyncio.to_thread(server.start)
    assert ended == dict.fromkeys(processes.running, (0, True))
    assert [name for name in processes.running if processes.said(name, "stopped_hard")] == []
