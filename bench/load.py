"""How fast alerts go out: `python -m bench.load [--workspaces 100] [--channels 10] [--alerts 30] [--seconds 240] [--workers 2] [--pace 0]`.

A PostgreSQL from a wheel, `attache worker` so many times, a local Slack and a local Discord, each in a process of its own, all on this machine.
Half of the workspaces are Slack workspaces that installed the app, each with its own sealed token; half are Discord servers. Every channel
subscribes to everything. Then alerts are raised to all channels, as the pipeline does it: at once, or one every `--pace` seconds. At once is the
worst: where more than five alerts wait for one channel, up to ten come in one message, so both are counted: messages that a platform took, and
deliveries (an alert that reached a channel). Ends when all have arrived, or after so many seconds.

Prints one JSON object: the rates over the time from the first message to the last, what is lost or twice (after an end by itself), the
95th of 100 of the time from raised to sent, the memory of each process at its highest, and the processor time per message of each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import func, select, text

from bot import jobs
from bot.domain.alerts import Alert, Destination, Surface
from bot.domain.decisions import Reason
from bot.domain.entries import ParsedEntry
from bot.domain.subscriptions import Planned, Subscription
from bot.ports import Filed, Installation
from bot.sealing import Seal
from bot.storage import tables
from bot.storage.database import open_engine
from bot.storage.store import SqlStore
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.fleet import ROOT, Fleet
from tests.fakes.slack_server import FakeSlack
from tests.fakes.world import deals
from tests.postgres import serving
from tests.storage.kit import assessed, development_on

TICK = os.sysconf("SC_CLK_TCK")
NOTHING_MORE = 30.0  # seconds without a message
READY_SECONDS = 120.0  # a bound


@dataclass(frozen=True, kw_only=True)
class World:
    """Who is to hear of the alerts."""

    slack: dict[str, list[str]]  # team -> channels
    discord: dict[str, list[str]]  # server -> channels

    @classmethod
    def of(cls, workspaces: int, channels: int) -> World:
        """Return half of each."""
        half = workspaces // 2
        slack = {f"T{1000 + n}": [f"C{1000 + n}A{k:03d}" for k in range(channels)] for n in range(half)}
        discord = {str(5000 + n): [str(1_000_000 + 1000 * n + k) for k in range(channels)] for n in range(workspaces - half)}
        return cls(slack=slack, discord=discord)

    def subscriptions(self) -> Iterator[Subscription]:
        """Return that of every channel."""
        for surface, places in ((Surface.SLACK, self.slack), (Surface.DISCORD, self.discord)):
            for team, channels in places.items():
                for channel in channels:
                    yield Subscription(destination=Destination(surface=surface, address=channel), team=team)


def token_of(team: str) -> str:
    """Return the bot token of a workspace."""
    return f"xoxb-{team}"


def slack(pipe: Connection, teams: list[str]) -> None:
    """In a process of its own: Slack, which tells its address, and then, when asked, how many messages it took and when."""

    async def run() -> None:
        async with FakeSlack() as fake:
            fake.tokens |= {token_of(team): team for team in teams}
            await _told(pipe, fake.api_url, lambda: (len(fake.messages), dict(Counter(m.channel for m in fake.messages))))

    asyncio.run(run())


def discord(pipe: Connection, servers: dict[str, list[str]]) -> None:
    """The same of Discord."""
    (first, channels), *others = servers.items()

    async def run() -> None:
        async with FakeDiscord(token=TOKEN, guild=first, channels=channels, others=dict(others)) as fake:
            await _told(pipe, fake.api_url, lambda: (len(fake.messages), dict(Counter(m["channel_id"] for m in fake.messages))))

    asyncio.run(run())


async def _told(pipe: Connection, url: str, count: Callable[[], object]) -> None:
    pipe.send(url)
    while await asyncio.to_thread(pipe.recv) != "end":
        pipe.send(count())


@contextmanager
def platform(serve: Callable[..., None], places: object) -> Iterator[tuple[Connection, str, int]]:
    """Run one in a process; yield the pipe to it, its address, and its number."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, places), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours, ours.recv(), process.pid or 0
        ours.send("end")
    finally:
        ours.close()
        process.join(10)


def environment(folder: Path, url: str, slack_url: str, discord_url: str, key: str) -> dict[str, str]:
    """Return the settings of the workers."""
    (folder / "sources.yaml").write_text("[]\n")
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "ATTACHE_SOURCES": str(folder / "sources.yaml"),
        "ATTACHE_DATABASE_URL": url, "ATTACHE_SECRET_KEY": key, "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "none",
        "SLACK_SIGNING_SECRET": "none", "SLACK_API_URL": slack_url, "DISCORD_BOT_TOKEN": TOKEN, "DISCORD_ALERT_CHANNEL": "1000000",
        "DISCORD_API_URL": discord_url,
    }  # fmt: skip


async def prepare(store: SqlStore, world: World, key: str) -> None:
    """The installations and the subscriptions."""
    installations = store.installations(Seal([SecretStr(key)]))
    for team in world.slack:
        made = datetime.now(UTC)
        await installations.install(
            Installation(
                team=team, name=team, bot_user="U0", installed_by="U1", installed_at=made, token=token_of(team), scopes=("chat:write",)
            )
        )
    for subscription in world.subscriptions():
        await store.subscribe(subscription)


async def raise_one(store: SqlStore, number: int, plans: list[Destination]) -> None:
    """File one development with an alert to every channel, in one transaction."""
    news, now = deals(300)[number % 300], datetime.now(UTC)
    item = ParsedEntry(title=f"{news.title} ({number})", summary=news.summary, url=f"https://paper.example/{number}", published=now)
    async with store.begin() as writing:
        [taken] = await writing.intake("paper", [item], now, fresh_from=None)
        development = development_on(taken.entry, parties=("CHL", "NOR"))
        await writing.save(development, [f"w:{number}"])
        await writing.enqueue(Alert(development=development, raised=now), dict.fromkeys(plans, Planned(due=now)))
        filed = Filed(
            entry=taken.entry,
            assessment=assessed(),
            reason=Reason.NEW_DEVELOPMENT,
            topics=development.topics,
            development_id=development.development_id,
        )
        await writing.record(filed)


def cost(pid: int) -> dict[str, float]:
    """Return what a process has cost so far: its memory at the highest in MB, and its processor seconds."""
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return {"mb": round(peak / 1024, 1), "cpu_s": (int(user) + int(system)) / TICK}


class Run:
    """One measurement."""

    def __init__(
        self, store: SqlStore, world: World, asked: argparse.Namespace, pipes: dict[str, Connection], processes: dict[str, int]
    ) -> None:
        self._store, self._world, self._asked = store, world, asked
        self._pipes, self._processes = pipes, processes
        self._channels = [s.destination for s in world.subscriptions()]

    async def measure(self) -> dict[str, Any]:
        """Raise, wait, and return the figures."""
        await self._workers_ready()
        before = {name: cost(pid) for name, pid in self._processes.items()}
        began = time.perf_counter()
        raising = asyncio.create_task(self._raise())
        seen = await self._follow(began, raising)
        raised = await raising if raising.done() else raising.cancel() and None
        (t0, _), (t1, messages) = next(s for s in seen if s[1]), next(s for s in seen if s[1] == seen[-1][1])
        deliveries, p95 = await self._sent()
        after = {name: cost(pid) for name, pid in self._processes.items()}
        costs = {
            name: {"mb": after[name]["mb"], "cpu_ms_a_message": round(1000 * (after[name]["cpu_s"] - before[name]["cpu_s"]) / messages, 2)}
            for name in after
        }
        seconds = t1 - t0
        return {
            "channels": len(self._channels), "alerts": self._asked.alerts, "wanted": self._asked.alerts * len(self._channels),
            "deliveries": deliveries, "messages": messages, "seconds": round(seconds, 1), "raising_s": raised and round(raised, 1),
            "messages_a_second": round(messages / seconds, 1), "deliveries_a_second": round(deliveries / seconds, 1),
            "raised_to_sent_p95_s": p95, "processes": costs,
        }  # fmt: skip

    async def _workers_ready(self) -> None:
        """Wait until each has its model, takes jobs, and has come to rest."""
        async with asyncio.timeout(READY_SECONDS), self._store._engine.connect() as connection:
            while (await connection.execute(text("SELECT count(*) FROM procrastinate_workers"))).scalar_one() < self._asked.workers:  # noqa: ASYNC110  (they tell nobody else)
                await asyncio.sleep(0.5)
        await asyncio.sleep(5)

    async def _raise(self) -> float:
        began = time.perf_counter()
        for number in range(self._asked.alerts):
            due = began + number * self._asked.pace
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            await raise_one(self._store, number, self._channels)
        return time.perf_counter() - began

    async def _follow(self, began: float, raising: asyncio.Task[float]) -> list[tuple[float, int]]:
        """Look once a second how many messages have arrived, until nothing waits."""
        seen: list[tuple[float, int]] = [(0.0, 0)]
        while (now := time.perf_counter() - began) < self._asked.seconds:
            seen.append((now, sum([await self._messages(pipe) for pipe in self._pipes.values()])))
            stale = now - next(at for at, count in seen if count == seen[-1][1]) > NOTHING_MORE
            if raising.done() and (stale or not await self._waiting()):
                break
            await asyncio.sleep(1)
        return seen

    async def _messages(self, pipe: Connection) -> int:
        pipe.send("how many")
        count, _ = await asyncio.to_thread(pipe.recv)
        return int(count)

    async def _waiting(self) -> int:
        d = tables.deliveries
        async with self._store._engine.connect() as connection:
            return int((await connection.execute(select(func.count()).where(d.c.state.in_(("pending", "sending"))))).scalar_one())

    async def _sent(self) -> tuple[int, float]:
        d = tables.deliveries
        late = func.percentile_cont(0.95).within_group(func.extract("epoch", d.c.sent - d.c.created))
        async with self._store._engine.connect() as connection:
            count, p95 = (await connection.execute(select(func.count(), late).where(d.c.state == "sent"))).one()
        return int(count), round(float(p95 or 0), 1)


async def run(asked: argparse.Namespace, folder: Path, url: str) -> dict[str, Any]:
    """Start everything and measure."""
    world, key = World.of(asked.workspaces, asked.channels), Fernet.generate_key().decode()
    queue = jobs.make_queue(url)
    engine = open_engine(url)
    store = SqlStore(engine, jobs.Announcer(queue))
    await prepare(store, world, key)
    with (
        platform(slack, list(world.slack)) as (to_slack, slack_url, slack_pid),
        platform(discord, world.discord) as (to_discord, discord_url, discord_pid),
    ):
        async with Fleet(environment(folder, url, slack_url, discord_url, key)) as fleet, jobs.opened(queue):
            await jobs.make_tables(queue)
            names = [f"worker-{n + 1}" for n in range(asked.workers)]
            for name in names:
                await fleet.start(name)
            processes = {"slack": slack_pid, "discord": discord_pid} | {name: fleet.pid(name) for name in names}
            figures = await Run(store, world, asked, {"slack": to_slack, "discord": to_discord}, processes).measure()
    await engine.dispose()
    return {"workers": asked.workers} | figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Alerts to many workspaces; see the module's text.")
    parser.add_argument("--workspaces", type=int, default=100)
    parser.add_argument("--channels", type=int, default=10)
    parser.add_argument("--alerts", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--pace", type=float, default=0.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attache-load-") as folder:
        Path(folder).chmod(0o755)  # as root the server runs as a user of its own
        with serving(Path(folder)) as server, server.database() as url:
            figures = asyncio.run(run(asked, Path(folder), url))
    print(json.dumps(figures), file=sys.stdout)


if __name__ == "__main__":
    main()
