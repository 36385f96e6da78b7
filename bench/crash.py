"""Nothing lost, nothing twice: `python -m bench.crash [--kills 200] [--developments 300] [--database sqlite|postgresql] [--seed N]`.

Invented news comes out while the bot is killed with SIGKILL again and again, and started again: on SQLite the one process of `attache run`, on
PostgreSQL one of two clocks and three workers. It alerts two Slack channels and a Discord channel on local platforms in this process. At the
end each channel is compared with what the database says was filed for it, in the order of filing (the number of the delivery): a development
that is in no message is lost, one in two places is there twice, one that comes in a message below another that tells of a later one is out of
order. Under pressure several alerts come in one message (a digest), which shows the most important first: so the order is judged between
messages.

A kill is one of these, by chance: at a random moment of a process's life, its start included; or when a platform has a request in hand:
"unsent" before the platform took the message, which is forgotten; "late" the same, but the message arrives after the process has died;
"unrecorded" when the message is in the channel and nobody was answered; "answered" within 30 ms of the answer. Where no request comes in time,
the kill is made at that moment ("unmet"). No setting is bent: leases, retries, and polls are those of every day, except that the feed is
polled every second.

Prints one JSON object; the exit code is 1 when anything is lost, twice, or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bot.domain.alerts import Destination, Surface
from bot.domain.subscriptions import Subscription
from bot.storage import tables
from bot.storage.database import migrate, open_engine
from bot.storage.store import SqlStore
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.feed_server import FeedServer, Item, rss
from tests.fakes.fleet import Fleet, settings
from tests.fakes.gate import Caught, Moment, Trap
from tests.fakes.reading import Verdict, on_discord, on_slack, verdict
from tests.fakes.slack_server import FakeSlack
from tests.fakes.world import News, deals
from tests.postgres import serving

PROCESSES = {"sqlite": ("run",), "postgresql": ("clock-1", "clock-2", "worker-1", "worker-2", "worker-3")}
LIFE = {"sqlite": 8.0, "postgresql": 5.0}  # seconds between two kills at random moments, at most
CAUGHT = 0.4  # of the kills wait for a request
PATIENCE = 8.0  # seconds that such a kill waits
SETTLING = 600.0  # a bound: leases of 60 s run out, and what waited goes out
PATH = "/news.xml"


@dataclass
class Kills:
    """What was killed, how, and how old the process was."""

    kinds: Counter[str] = field(default_factory=Counter)
    victims: Counter[str] = field(default_factory=Counter)
    ages: list[float] = field(default_factory=list)
    born: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """Return them for the report."""
        ages = sorted(self.ages)
        tenths = [round(ages[int(n / 10 * (len(ages) - 1))], 2) for n in range(11)] if ages else []
        return {"kinds": dict(self.kinds), "victims": dict(self.victims), "age_s_tenths": tenths}


class Paper:
    """The feed: each piece of news is published once, with the time at which it came out."""

    def __init__(self, feeds: FeedServer, news: Sequence[News]) -> None:
        self._feeds = feeds
        self._news = news
        self._items: list[Item] = []
        self.publish(0)

    def publish(self, count: int) -> None:
        """Have so many out."""
        for number in range(len(self._items), count):
            n, at = self._news[number], datetime.now(UTC) - timedelta(seconds=1)
            self._items.append((n.title, n.summary, f"https://paper.example/{number}", f"g{number}", at))
        self._feeds.put(PATH, rss(self._items))


@dataclass
class Replay:
    """One run."""

    database: str
    url: str
    kills: int
    news: list[News]
    luck: random.Random
    folder: Path
    made: Kills = field(default_factory=Kills)

    async def run(self) -> dict[str, Any]:
        """Play it and return the figures."""
        began = time.perf_counter()
        async with FeedServer() as feeds, FakeSlack() as slack, FakeDiscord(token=TOKEN) as discord:
            self.paper, self.platforms = Paper(feeds, self.news), (slack, discord)
            env = settings(self.folder, url=self.url, feed=feeds.url(PATH), slack=slack, discord=discord)
            async with Fleet(env) as self.fleet:
                await self._prepare()
                for name in PROCESSES[self.database]:
                    await self._born(self.fleet.start, name)
                await self._until(lambda: feeds.hits(PATH) > 0, SETTLING)
                for number in range(1, self.kills + 1):
                    self.paper.publish(number * len(self.news) // self.kills)
                    await self._kill(number)
                killed = time.perf_counter()
                settled = await self._settle()
            channels = {name: self._of(found) for name, found in (await self._compare(slack, discord)).items()}
        seconds = {"seconds": round(time.perf_counter() - began, 1), "settling_s": round(time.perf_counter() - killed, 1)}
        told = {"database": self.database, "kills": self.kills, "developments": len(self.news), "settled": settled}
        return told | {"channels": channels} | self.made.figures() | seconds

    async def _prepare(self) -> None:
        """The tables, and the subscription of the second Slack channel; the other channels are those of the settings."""
        if self.database == "postgresql":
            assert await self.fleet.once("migrate") == 0  # noqa: S101  (a bench has no better way to say so)
        engine = open_engine(self.url)
        await migrate(engine)
        await SqlStore(engine).subscribe(Subscription(destination=Destination(surface=Surface.SLACK, address="C2"), team="T1"))
        await engine.dispose()

    async def _born(self, start: Callable[[str], Awaitable[None]], name: str) -> None:
        await start(name)
        self.made.born[name] = time.perf_counter()

    async def _kill(self, number: int) -> None:
        victim = self.luck.choice(PROCESSES[self.database])
        if self.luck.random() < CAUGHT:
            kind, victim = await self._catch(victim)
        else:
            kind = "random"
            await asyncio.sleep(self.luck.uniform(0, LIFE[self.database]))
            await self._dies(victim)
        self.made.kinds[kind] += 1
        print(f"\r{number} of {self.kills}", end="", file=sys.stderr, flush=True)
        await self._born(self.fleet.start, victim)

    async def _dies(self, victim: str) -> None:
        await self.fleet.end(victim)
        self.made.victims[victim] += 1
        self.made.ages.append(time.perf_counter() - self.made.born[victim])

    async def _catch(self, otherwise: str) -> tuple[str, str]:
        """Kill whoever sends the next message, in one of the moments; return the kind of the kill, and who it was."""
        kind = self.luck.choice(("unsent", "late", "unrecorded", "answered"))
        moment = Moment.BEFORE if kind in ("unsent", "late") else Moment.AFTER
        caught = await self._caught(moment)
        if caught is None:
            await self._dies(otherwise)
            return "unmet", otherwise
        victim = self.fleet.who(caught.port) or otherwise
        if kind == "answered":
            caught.let()
            await asyncio.sleep(self.luck.uniform(0, 0.03))
        await self._dies(victim)
        caught.let(goes_on=kind != "unsent")
        return kind, victim

    async def _caught(self, moment: Moment) -> Caught | None:
        """Set a trap on each platform, for whichever has the next message."""
        waiting: list[asyncio.Future[Caught]] = []
        for platform in self.platforms:
            platform.gate = trap = Trap()
            waiting.append(trap.set(moment))
        done, _ = await asyncio.wait(waiting, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for platform in self.platforms:
            platform.gate = None  # a request that another trap holds in the same instant is let go below
        for other in waiting:
            if other not in done and not other.cancel():
                done.add(other)
        first, *others = [future.result() for future in done] or [None]
        for another in others:
            if another is not None:
                another.let()
        return first

    async def _settle(self) -> bool:
        """Wait until nothing waits any more, and a moment longer: a second copy would come then."""
        engine, d = open_engine(self.url), tables.deliveries
        count = select(func.count(), func.count().filter(d.c.state != "sent"))
        wanted = 3 * len(self.news)
        try:
            async with asyncio.timeout(SETTLING):
                while True:
                    async with engine.connect() as connection:
                        everything, waiting = (await connection.execute(count)).one()
                    if everything >= wanted and not waiting:
                        break
                    await asyncio.sleep(1.0)
            await asyncio.sleep(10.0)
        except TimeoutError:
            return False
        finally:
            await engine.dispose()
        return True

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110  (processes have no event to wait for)
                await asyncio.sleep(0.1)

    async def _compare(self, slack: FakeSlack, discord: FakeDiscord) -> dict[str, Verdict]:
        filed, known = await self._filed(), [n.title for n in self.news]
        shown = {"slack:C1": on_slack(slack, "C1"), "slack:C2": on_slack(slack, "C2"), "discord:100": on_discord(discord, "100", known)}
        found = {}
        for channel, messages in shown.items():
            missing = [title for title in known if title not in filed.get(channel, ())]
            found[channel] = verdict(messages, [*filed.get(channel, ()), *missing])  # never filed is lost too
        return found

    async def _filed(self) -> dict[str, list[str]]:
        """The headlines by channel, in the order in which they were filed."""
        engine, d, x = open_engine(self.url), tables.deliveries, tables.developments
        statement = select(d.c.surface, d.c.address, x.c.headline).join(x, x.c.id == d.c.development_id).order_by(d.c.id)
        filed: dict[str, list[str]] = {}
        async with engine.connect() as connection:
            for surface, address, headline in await connection.execute(statement):
                filed.setdefault(f"{surface}:{address}", []).append(headline)
        await engine.dispose()
        return filed

    def _of(self, found: Verdict) -> dict[str, Any]:
        counts = {name: len(getattr(found, name)) for name in ("lost", "twice", "late")}
        named = {f"{name}_titles": list(getattr(found, name))[:10] for name, count in counts.items() if count}
        return {"messages": found.messages, "single": found.alone, "lost": counts["lost"], "twice": counts["twice"],
                "out_of_order": counts["late"], **named}  # fmt: skip


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'attache.db'}"
        return
    folder.chmod(0o755)  # as root the server runs as a user of its own
    with serving(folder) as server, server.database() as url:
        yield url


def main() -> None:
    """Play it, print the figures, and exit with 1 when a channel is not as it should be."""
    parser = argparse.ArgumentParser(description="SIGKILLs during a replay; see the module's text.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--developments", type=int, default=300, choices=range(1, 301), metavar="1..300")
    parser.add_argument("--database", choices=sorted(PROCESSES), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attache-crash-") as folder, _database(asked.database, Path(folder)) as url:
        luck = random.Random(asked.seed)  # noqa: S311  (the same choices every time; what they meet is not)
        replay = Replay(database=asked.database, url=url, kills=asked.kills, news=deals(asked.developments), luck=luck, folder=Path(folder))
        figures = asyncio.run(replay.run())
    print(json.dumps({"seed": asked.seed} | figures, ensure_ascii=False))
    wrong = any(found[name] for found in figures["channels"].values() for name in ("lost", "twice", "out_of_order"))
    sys.exit(1 if wrong or not figures["settled"] else 0)


if __name__ == "__main__":
    main()
