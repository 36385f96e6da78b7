"""What commands cost on a full store: `python -m bench.commands [DATABASE_URL]` (default: an SQLite file of its own).

A store is filled with 100,000 entries and 20,000 developments of our invention. Then each command is answered by itself, a few times, and the
median and the slowest are printed; then 100 commands come at once, through the real Slack surface, from a local Slack in another process, while
sources are polled and entries are classified: until the acknowledgement, and until the answer, at the 95th of 100.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from pydantic import SecretStr
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import Judge, SystemClock, make_pipeline, open_judge, open_store
from bot.domain.alerts import Surface
from bot.domain.entries import ParsedEntry, Source, SourceState, address_identity
from bot.pipeline import Pipeline
from bot.ports import Harvest, Store
from bot.storage import tables
from bot.storage.database import open_engine
from bot.storage.words import Words, index, indexed
from config.settings import HERE
from handlers.commands import Commands
from handlers.desks import make_commands
from handlers.grammar import Actor
from handlers.slack.app import SlackSurface
from handlers.sources import SourceDesk
from tests.fakes.slack_server import FakeSlack

ENTRIES, DEVELOPMENTS, SOURCES, CHANNELS = 100_000, 20_000, 200, 20
AT_ONCE, TIMES = 100, 5
BATCH = 5_000
NOW = datetime.now(UTC).replace(microsecond=0)
STAGES = ("proposed", "negotiating", "stalled", "concluded", "signed", "ratified", "in_force", "dispute")
COUNTRIES = (
    "IND",
    "USA",
    "EU",
    "JPN",
    "GBR",
    "CHN",
    "AUS",
    "CAN",
    "MEX",
    "BRA",
    "CHL",
    "NOR",
    "CHE",
    "KOR",
    "VNM",
    "IDN",
    "ZAF",
    "KEN",
    "EGY",
    "TUR",
)
THINGS = [
    "tariff",
    "steel",
    "dairy",
    "timber",
    "rice",
    "harbour",
    "digital",
    "services",
    "minerals",
    "textile",
    "poultry",
    "grain",
    "solar",
    "wine",
    "market",
    "quota",
    "visa",
    "data",
    "cotton",
    "fish",
]
ACTS = ["weigh", "sign", "discuss", "delay", "open", "close", "draft", "review", "reject", "welcome", "extend", "table"]
LINES = (
    "latest", "latest 10 trade india", "latest meeting", "search tariff steel", 'search "free trade" -dairy', "timeline India United States",
    "timeline trade_deal:IND-USA", "upcoming", "story {id}", "why {id}", "why {url}", "watch list", "watch test tariff* country:India",
    "watch history", "sources list", "status", "help", "help watch", "subscribe", "mute list",
)  # fmt: skip


def headline(n: int, chance: random.Random) -> str:
    """Return an invented headline."""
    return f"Ministers {chance.choice(ACTS)} free trade {chance.choice(THINGS)} and {chance.choice(THINGS)} chapter {n}"


def _entry(n: int, chance: random.Random) -> dict[str, dict[str, Any]]:
    at, key = NOW - timedelta(minutes=3 * n), f"e{n:024d}"
    url = f"https://paper-{n % SOURCES}.example/news/{n}"
    told = n % 5 not in (1, 2)  # by a development: three in five, as `_development` has it
    version = {"id": n, "entry_id": n, "number": 1, "key": key, "title": headline(n, chance), "summary": "A chapter was on the table. " * 8}
    facts = {"parties": [chance.choice(COUNTRIES)], "people": [], "place": None, "when": None}
    judgement = {
        "version_id": n,
        "reason": "new_development",
        "scores": {"trade_deal": 0.9 if told else 0.1, "ministerial_meeting": 0.2},
        "development": 0.8,
    }
    return {
        "entries": {
            "id": n,
            "source": f"paper-{n % SOURCES}",
            "url": url,
            "published": at,
            "seen": at + timedelta(seconds=40),
            "baseline": False,
        },
        "versions": version | {"published": at, "seen": at, "waiting": False},
        "identities": {"name": address_identity(url), "entry_id": n},
        "judgements": judgement
        | {"stage": "signed", "facts": facts, "moved": [["tariff", 0.4]], "topics": ["trade_deal"], "model": "bench"},
    }


def _development(n: int, chance: random.Random) -> dict[str, dict[str, Any]]:
    pair = sorted((COUNTRIES[n % 7 % 20], COUNTRIES[7 + n // 7 % 13])) if n % 50 else ["IND", "USA"]
    meeting = n % 3 == 0
    own, at, topic = f"d{n:020d}", NOW - timedelta(minutes=15 * n), "ministerial_meeting" if meeting else "trade_deal"
    dossier = f"{topic}:{'-'.join(pair)}"
    day = (NOW + timedelta(days=n % 400 - 380)).date().isoformat() if meeting else None
    status = ("planned", "held", "cancelled")[n % 9 // 3] if meeting else None
    told = headline(n, chance)
    return {
        "dossiers": {"id": dossier, "topic": topic, "parties": pair, "stage": None, "opened": at, "updated": at},
        "developments": {
            "number": n, "id": own, "dossier_id": dossier, "step": DEVELOPMENTS - n, "topics": [topic], "trade_deal": not meeting,
            "ministerial_meeting": meeting, "headline": told, "url": f"https://paper-1.example/news/{5 * n}",
            "stage": None if meeting else STAGES[n % 8], "status": status, "parties": pair, "people": [["Asha Rao", "minister", "IND"]],
            "place": "Oslo", "day": day, "summary": [["A chapter was on the table for three hours.", ""]], "importance": n % 100 / 100,
            "first_published": at, "last_published": at, "alerted_at": at,
        },
        "alerts": {"development_id": own, "raised": at, "follow_up": None, "step_changed": False},
        "feedback": {"development_id": own, "surface": "slack", "address": f"C{n % CHANNELS}", "actor": "slack:U1", "useful": n % 3 > 0, "at": at},
        "words": {"row": n, "words": told},
    }  # fmt: skip


async def fill(connection: AsyncConnection) -> None:
    """Fill a store that is empty."""
    chance = random.Random(5)  # noqa: S311  (the same store every time)
    for start in range(1, ENTRIES + 1, BATCH):
        made = [_entry(n, chance) for n in range(start, start + BATCH)]
        for name in ("entries", "versions", "identities", "judgements"):
            await connection.execute(insert(tables.metadata.tables[name]), [row[name] for row in made])
    dossiers: set[str] = set()
    words = Words()
    dialect = connection.dialect.name
    for start in range(1, DEVELOPMENTS + 1, BATCH):
        made = [_development(n, chance) for n in range(start, start + BATCH)]
        new = {row["dossiers"]["id"]: row["dossiers"] for row in made if row["dossiers"]["id"] not in dossiers}
        dossiers |= new.keys()
        if new:
            await connection.execute(insert(tables.dossiers), list(new.values()))
        for name in ("developments", "alerts", "feedback"):
            await connection.execute(insert(tables.metadata.tables[name]), [row[name] for row in made])
        await connection.execute(
            insert(tables.parties),
            [{"development_id": r["developments"]["id"], "code": c} for r in made for c in r["developments"]["parties"]],
        )
        await connection.execute(insert(tables.deliveries), [d for row in made for d in _deliveries(row["developments"])])
        stems = [{"row": r["words"]["row"], "words": indexed(words.stems(r["words"]["words"]), dialect)} for r in made]
        await connection.execute(index(dialect), stems)
        covered = [{"version_id": 5 * r["words"]["row"] - k, "development_id": r["developments"]["id"]} for r in made for k in range(3)]
        await connection.execute(insert(tables.coverage), covered)
    listed = [
        {
            "name": f"paper-{n}",
            "failures": n % 40 == 0,
            "problem": "timeout" if n % 40 == 0 else None,
            "polled": NOW,
            "window_passed": False,
            "health": "ok",
        }
        for n in range(SOURCES)
    ]
    await connection.execute(insert(tables.sources), listed)


def _deliveries(development: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for channel in range(3):
        at = development["first_published"]
        yield {
            "development_id": development["id"], "surface": "slack", "address": f"C{channel}", "state": "sent", "attempts": 1, "due": at,
            "created": at, "sent": at + timedelta(seconds=50), "message_id": "1.1", "digest": False, "shown": 1, "edits": 0,
        }  # fmt: skip


def typed(count: int) -> list[str]:
    """Return so many lines to type."""
    n = itertools.count(1)
    return [
        line.replace("{id}", f"d{17 * next(n):020d}").replace("{url}", f"https://paper-1.example/news/{200 * next(n) + 1}")
        for line in itertools.islice(itertools.cycle(LINES), count)
    ]


def mixed(trials: int) -> list[str]:
    """Return AT_ONCE lines, so many of them `watch test`."""
    lines = typed(2 * AT_ONCE)
    heavy = [line for line in lines if line.startswith("watch test")][:trials]
    return [*[line for line in lines if not line.startswith("watch test")][: AT_ONCE - len(heavy)], *heavy]


class _Feed:
    """Lists 50 new entries at each poll."""

    def __init__(self) -> None:
        self._numbers = itertools.count(ENTRIES + 1)
        self._chance = random.Random(6)  # noqa: S311  (the same news every time)

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        made = (next(self._numbers) for _ in range(50))
        return Harvest(
            entries=tuple(
                ParsedEntry(title=headline(n, self._chance), url=f"https://new.example/{n}", guid=str(n), published=now) for n in made
            )
        )


async def work(pipeline: Pipeline, polls: list[int]) -> None:
    """Poll and classify without a pause."""
    state = SourceState(name="paper-0", polled=NOW)
    while True:
        _, state = await pipeline.poll(Source(name="paper-0", url="https://new.example/feed", interval=60), state)
        judged = await pipeline.assess()
        polls.append(len(judged))


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median, the 95th of 100 and the slowest, in milliseconds."""
    found = sorted(seconds)
    return {
        name: round(found[int(share * (len(found) - 1))] * 1000, 1) for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95), ("max_ms", 1.0))
    }


async def alone(commands: Commands) -> None:
    """Each command by itself."""
    actor = Actor(surface=Surface.SLACK, user="U1", channel="C1", team="T1", admin=True)
    for line in typed(len(LINES)):
        seconds = []
        for _ in range(TIMES):
            began = time.perf_counter()
            reply = await commands.answer_line(actor, line)
            seconds.append(time.perf_counter() - began)
        print(
            json.dumps(
                {"command": line, "error": reply.note} if reply.error else {"command": line, "items": len(reply.items)} | spread(seconds)
            ),
            flush=True,
        )


def people(pipe: Connection) -> None:
    """In a process of its own: Slack, and people who type all at once. Tells the parent the address, gets the lines, tells how long each took."""

    async def run() -> None:
        async with FakeSlack() as fake:
            pipe.send(fake.api_url)
            lines = await asyncio.to_thread(pipe.recv)
            await fake.connected(timeout=30)
            answers = await asyncio.gather(*(fake.type(line, timeout=60) for line in lines))
            pipe.send([(answer.ack_seconds, answer.answer_seconds) for answer in answers])
            await asyncio.to_thread(pipe.poll, None)  # until the parent is done

    asyncio.run(run())


async def together(commands: Commands, judge: Judge, store: Store, *, busy: bool, trials: int) -> None:
    """All at once, through Slack; `trials` of them are `watch test`, which reads what was judged in a month."""
    pipeline, polls = make_pipeline(reader=_Feed(), store=store, judge=judge, clock=SystemClock()), list[int]()
    ours, theirs = multiprocessing.Pipe()
    slack = multiprocessing.get_context("spawn").Process(target=people, args=(theirs,), daemon=True)
    slack.start()
    theirs.close()
    tokens = {"bot_token": SecretStr(FakeSlack.bot_token), "app_token": SecretStr(FakeSlack.app_token)}
    surface = SlackSurface(**tokens, commands=commands, gazetteer=judge.gazetteer, api_url=await asyncio.to_thread(ours.recv))
    running = [asyncio.create_task(surface.run())]
    if busy:
        running.append(asyncio.create_task(work(pipeline, polls)))
        await asyncio.sleep(3)
    before = sum(polls)
    ours.send(mixed(trials))
    took: list[tuple[float, float]] = await asyncio.to_thread(ours.recv)
    judged = sum(polls) - before
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    ours.close()
    await asyncio.to_thread(slack.join)
    figures = {"acknowledged": spread([ack for ack, _ in took]), "answered": spread([answer for _, answer in took])}
    print(json.dumps({"at_once": AT_ONCE, "trials": trials, "busy": busy, "judged": judged} | figures), flush=True)


async def measure(url: str) -> None:
    """Fill and measure."""
    clock = SystemClock()
    async with open_store(url) as store, open_judge(str(HERE / "model")) as judge:
        engine, began = open_engine(url), time.perf_counter()
        async with engine.execution_options(writing=True).begin() as connection:
            await fill(connection)
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text("ANALYZE"))
        await engine.dispose()
        print(json.dumps({"filled_s": round(time.perf_counter() - began, 1)}), flush=True)
        feed = _Feed()

        async def changed() -> None:
            """Nothing follows."""

        desk = SourceDesk(library=store, reader=feed, prober=None, listed=[], clock=clock, changed=changed)  # type: ignore[arg-type]  # nothing is probed here
        commands = make_commands(
            store=store, gazetteer=judge.gazetteer, language=judge.language, clock=clock, admins=frozenset(), sources=desk
        )
        await alone(commands)
        for busy, trials in itertools.product((False, True), (0, 5)):
            await together(commands, judge, store, busy=busy, trials=trials)


def main() -> None:
    """Measure on the database that is named, which must be empty, or on a file."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(sys.argv[1] if len(sys.argv) > 1 else f"sqlite+aiosqlite:///{folder}/bench.db"))


if __name__ == "__main__":
    main()
