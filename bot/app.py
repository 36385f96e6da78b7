"""The composition root: the only module that names concrete parts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from aiohttp.web import AbstractRouteDef
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.delivery.outbox import Outbox
from bot.domain.alerts import Destination, Surface
from bot.domain.entries import Source, merged
from bot.domain.errors import SettingsError, StoreError, Trouble
from bot.domain.health import Bounds
from bot.domain.subscriptions import Subscription
from bot.judge.classifier import Model, OnnxClassifier, is_ours
from bot.judge.facts import FactReader
from bot.judge.people import People
from bot.judge.places import Places
from bot.judge.watching import Watching
from bot.judge.zero_shot import ZeroShotClassifier, load_zero_shot
from bot.metrics import CONTENT_TYPE, MeasuredClassifier, MeasuredLine, Metrics, StoreGauges, exposition
from bot.oversight import Oversight, StoreWatch, watched_loop
from bot.pipeline import Pipeline
from bot.ports import Articles, Classifier, Clock, Drafter, Filed, Gazetteer, Notifier, Reader, Sender, Store, WatchLanguage
from bot.schedule import Schedule
from bot.sealing import Seal
from bot.sources.reader import SourceReader
from bot.storage.database import check, migrate, open_engine, unopened
from bot.storage.store import SqlStore
from bot.storage.writing import Announcer
from bot.stories.matcher import StoryMatcher, StoryModel
from bot.summary.drafting import SeqToSeqDrafter, load_writer
from bot.summary.extractive import ExtractiveSummarizer
from bot.web import Entrance
from config.settings import HERE, Settings
from handlers.commands import Commands
from handlers.console.sender import ConsoleSender
from handlers.desks import make_commands
from handlers.discord.client import DiscordSurface
from handlers.slack.app import SlackSurface
from handlers.slack.installing import OAuth
from handlers.sources import SourceDesk

POLLS_SECONDS, SENDING_SECONDS = 3.0, 3.0  # after SIGTERM; surfaces close within two more, so that the whole stays below ten
AGAIN_SECONDS = 2.0  # between attempts of a start that the store keeps waiting
PASSING = (
    Trouble.FULL,
    Trouble.DISK,
    Trouble.BUSY,
)  # what a start waits for; anything else is a wrong setting, or a server for others to start
STORIES = "stories.json"
AGENT = "Attache/0.1 (self-hosted news alerts)"
TERMINAL = Destination(surface=Surface.CONSOLE, address="terminal")
SETTINGS = "settings"  # who made the subscriptions that the settings name

_log = structlog.get_logger()


class SystemClock:
    """The machine's time (port `Clock`)."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """The models, with what they know of the world."""

    classifier: Classifier
    gazetteer: Gazetteer
    language: WatchLanguage
    stories: StoryModel
    drafter: Drafter | None = None


@asynccontextmanager
async def open_judge(model: str, summary_model: str | None = None) -> AsyncIterator[Judge]:
    """Load the model (a folder of ours, or another folder's or hub's zero-shot model by name) and own its thread. Raises ModelError.

    `summary_model` names a seq2seq model that drafts the summaries; without one they are extracts.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="model")
    try:
        yield await asyncio.get_running_loop().run_in_executor(executor, _judge, model, summary_model, executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _judge(model: str, summary_model: str | None, executor: ThreadPoolExecutor) -> Judge:
    places = read_places()
    facts = FactReader(places, People(HERE / "people.yaml"))
    own = Path(model) / STORIES
    stories = StoryModel.load(own if own.is_file() else HERE / "model" / STORIES)
    if not is_ours(Path(model)):
        scorer = load_zero_shot(model)
        classifier: Classifier = ZeroShotClassifier(scorer=scorer, facts=facts, executor=executor, name=model)
    else:
        classifier = OnnxClassifier(model=Model(Path(model)), facts=facts, executor=executor)
    drafter = SeqToSeqDrafter(writer=load_writer(summary_model), executor=executor) if summary_model else None
    return Judge(classifier=classifier, gazetteer=places, language=Watching(places), stories=stories, drafter=drafter)


def make_reader(settings: Settings) -> SourceReader:
    """Return the reader of sources: it owns connections and threads, so use it in `async with`."""
    return SourceReader(allow_private=settings.attache_allow_private_sources, agent=AGENT)


def read_places() -> Places:
    """Return the gazetteer."""
    return Places(HERE / "places.yaml")


@asynccontextmanager
async def open_store(
    url: str,
    *,
    announcer: Announcer | None = None,
    migrating: bool = True,
    checking: bool = False,
    watch: StoreWatch | None = None,
) -> AsyncIterator[SqlStore]:
    """Open the database: first looked through for damage if wanted, and migrated where this process is the one to do it. Raises SettingsError.

    `watch` is told of its troubles; with one, a file that is locked or on a full disk is waited for.
    """
    engine = open_engine(url, watch.failed) if watch else open_engine(url)
    try:
        while not await _made_ready(engine, checking=checking, migrating=migrating, waits=watch is not None):  # noqa: ASYNC110
            await asyncio.sleep(AGAIN_SECONDS)
        yield SqlStore(engine, announcer)
    finally:
        await engine.dispose()


async def _made_ready(engine: AsyncEngine, *, checking: bool, migrating: bool, waits: bool) -> bool:
    """Check and migrate; False where something hinders that which may pass, and who opens the database `waits`. Raises SettingsError."""
    try:
        if checking:
            await check(engine)
        if migrating:
            await migrate(engine)
        if migrating and waits:
            await SqlStore(engine).writes()  # a schema that is the newest already says nothing of that
    except (SettingsError, StoreError) as error:
        met = error if isinstance(error, StoreError) else error.__cause__
        if waits and isinstance(met, StoreError) and met.trouble in PASSING:
            return False
        raise error if isinstance(error, SettingsError) else unopened(engine, error) from met
    return True


def make_pipeline(
    *,
    reader: Reader,
    store: Store,
    judge: Judge,
    clock: Clock,
    articles: Articles | None = None,
    report: Callable[[Filed], None] = lambda _: None,
) -> Pipeline:
    """Compose the line from source to outbox."""
    return Pipeline(
        reader=reader,
        store=store,
        classifier=judge.classifier,
        stories=StoryMatcher(judge.stories),
        summarizer=ExtractiveSummarizer(),
        clock=clock,
        articles=articles,
        drafter=judge.drafter,
        language=judge.language,
        report=report,
    )


@dataclass(kw_only=True)
class Surfaces:
    """Where alerts go and commands come from: a sender for each, the channels that the settings name, what reaches the admins, and what must run."""

    senders: dict[Surface, Sender] = field(default_factory=dict)
    channels: list[Destination] = field(default_factory=list)
    notifiers: list[Notifier] = field(default_factory=list)
    running: dict[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Outside:
    """What is seen of this process from outside. `has_model`: it has loaded its model, or needs none."""

    metrics: Metrics
    entrance: Entrance
    has_model: bool


@asynccontextmanager
async def open_outside(
    settings: Settings, store: SqlStore, names: Callable[[], Awaitable[Collection[str]]], watch: StoreWatch, *, has_model: bool = False
) -> AsyncIterator[Outside]:
    """Watch the loop, count, and answer on the port of the settings where they name one. `names` are those of the sources. Raises SettingsError."""
    clock = SystemClock()
    metrics = Metrics(clock)
    gauges = StoreGauges(metrics=metrics, gauges=store, clock=clock, names=names)

    async def figures() -> bytes:
        await gauges.refresh()
        return exposition(metrics)

    async def model() -> bool:
        return outside.has_model

    async with AsyncExitStack() as held:
        entrance = Entrance(
            heartbeat=await held.enter_async_context(watched_loop()),
            checks={"database": store.answers, "schema": store.at_head, "store": watch.well, "model": model},
            figures=figures,
            content_type=CONTENT_TYPE,
            token=settings.attache_metrics_token,
        )
        outside = Outside(metrics=metrics, entrance=entrance, has_model=has_model)
        if settings.attache_http_port is not None:
            await held.enter_async_context(entrance.open(settings.attache_http_port))
        yield outside


def make_slack(
    settings: Settings, commands: Commands, gazetteer: Gazetteer, store: SqlStore, routes: Sequence[AbstractRouteDef] = ()
) -> SlackSurface:
    """Return the Slack surface of settings that have its token, or the credentials by which workspaces install it. Raises SettingsError.

    `routes` are served beside Slack's in HTTP mode.
    """
    return SlackSurface(
        bot_token=settings.slack_bot_token,
        oauth=_oauth(settings, store),
        app_token=settings.slack_app_token,
        signing_secret=settings.slack_signing_secret,
        port=settings.port,
        commands=commands,
        gazetteer=gazetteer,
        admin_group=settings.slack_admin_group,
        home=settings.slack_home_team,
        api_url=settings.slack_api_url,
        routes=routes,
    )


def _oauth(settings: Settings, store: SqlStore) -> OAuth | None:
    if settings.slack_client_id is None or settings.slack_client_secret is None:
        return None
    seal = Seal(settings.secret_keys)
    return OAuth(
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret,
        installations=store.installations(seal),
        channels=store,
        seal=seal,
    )


def make_discord(settings: Settings, token: SecretStr, commands: Commands, gazetteer: Gazetteer) -> DiscordSurface:
    """Return the Discord surface of the bot with this token."""
    return DiscordSurface(
        token=token,
        commands=commands,
        gazetteer=gazetteer,
        guild=settings.discord_guild,
        api_url=settings.discord_api_url,
    )


def make_surfaces(
    settings: Settings,
    commands: Commands,
    gazetteer: Gazetteer,
    console: Console,
    store: SqlStore,
    routes: Sequence[AbstractRouteDef] = (),
) -> Surfaces:
    """Return every surface that has a token; the terminal where none has. `routes` are served beside Slack's in HTTP mode."""
    surfaces = Surfaces()
    if settings.has_slack:
        slack = make_slack(settings, commands, gazetteer, store, routes)
        surfaces.senders[Surface.SLACK] = slack.sender
        surfaces.running["slack"] = slack.run
        if settings.slack_alert_channel:
            surfaces.channels.append(Destination(surface=Surface.SLACK, address=settings.slack_alert_channel))
        if settings.slack_admin_channel:
            surfaces.notifiers.append(slack.notifier(settings.slack_admin_channel))
    if settings.discord_bot_token and settings.discord_alert_channel:
        discord = make_discord(settings, settings.discord_bot_token, commands, gazetteer)
        surfaces.senders[Surface.DISCORD] = discord.sender
        surfaces.channels.append(Destination(surface=Surface.DISCORD, address=str(settings.discord_alert_channel)))
        surfaces.running["discord"] = discord.run
        if settings.discord_admin_channel:
            surfaces.notifiers.append(discord.notifier(settings.discord_admin_channel))
    if not surfaces.senders:
        surfaces.senders[Surface.CONSOLE] = ConsoleSender(console, gazetteer)
        surfaces.channels.append(TERMINAL)
    return surfaces


async def subscribe_channels(store: Store, channels: Sequence[Destination], now: datetime) -> None:
    """Subscribe the channels that the settings name, where they have no subscription; one of ours that a platform's refusal paused gets another chance."""
    for channel in channels:
        had = await store.subscription(channel)
        if had is None:
            await store.subscribe(Subscription(destination=channel, made_by=SETTINGS, made_at=now))
        elif had.made_by == SETTINGS:
            await store.pause(channel, None)


async def run(settings: Settings, sources: Sequence[Source], console: Console, ending: Callable[[], None] = lambda: None) -> None:
    """Run everything in this process until SIGTERM or SIGINT; then say so by `ending`, finish what is under way and return within ten seconds."""
    clock, watch = SystemClock(), StoreWatch()
    async with (
        open_store(settings.attache_database_url, checking=True, watch=watch) as store,
        open_outside(settings, store, lambda: source_names(sources, store), watch) as outside,
        open_judge(settings.attache_model, settings.attache_summary_model) as judge,
        make_reader(settings) as reader,
    ):
        outside.has_model, metrics = True, outside.metrics
        schedule: Schedule | None = None

        async def changed() -> None:
            if schedule is not None:
                await schedule.refresh()

        desk = SourceDesk(library=store, reader=reader, prober=reader.prober, listed=sources, clock=clock, changed=changed)
        outbox: Outbox | None = None

        def wake() -> None:
            if outbox is not None:
                outbox.wake()

        commands = make_commands(
            store=store,
            gazetteer=judge.gazetteer,
            language=judge.language,
            clock=clock,
            admins=settings.admins,
            sources=desk,
            wake=wake,
        )
        surfaces = make_surfaces(settings, commands, judge.gazetteer, console, store, outside.entrance.routes())
        await patiently(lambda: subscribe_channels(store, surfaces.channels, clock.now()))
        outbox = Outbox(store=store, senders=surfaces.senders, clock=clock, notifiers=surfaces.notifiers, report=metrics.delivered)
        measured = replace(judge, classifier=MeasuredClassifier(judge.classifier, metrics))
        pipeline = make_pipeline(reader=reader, store=store, judge=measured, clock=clock, articles=reader.articles, report=metrics.filed)
        schedule = Schedule(
            pipeline=MeasuredLine(pipeline, metrics),
            list_sources=lambda: list_sources(sources, store),
            list_states=store.source_states,
            on_alert=outbox.wake,
            look=Oversight(store=store, notifiers=surfaces.notifiers, clock=clock).look,
            daily=lambda: retain(settings, store),
            bounds=Bounds(fastest=settings.attache_poll_fastest, slowest=settings.attache_poll_slowest),
        )
        _log.info("started", sources=len(sources), channels=[str(c) for c in surfaces.channels])
        await _serve(schedule, outbox, {**surfaces.running, "store watch": lambda: watch.run(store.writes, surfaces.notifiers)}, ending)
    _log.info("stopped")


async def patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do what a start needs of the store; while that is in trouble, which its watch says, wait and do it again."""
    while True:
        try:
            await work()
        except StoreError:
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


async def list_sources(sources: Sequence[Source], store: Store) -> list[Source]:
    """Return the sources of the file with what admins changed."""
    return merged(sources, await store.source_changes())


async def source_names(sources: Sequence[Source], store: Store) -> frozenset[str]:
    """Return the names of those sources."""
    return frozenset(source.name for source in await list_sources(sources, store))


async def retain(settings: Settings, store: SqlStore) -> None:
    """Clear away what is older than the settings say."""
    gone = await store.forget(SystemClock().now(), settings.attache_retention_days)
    _log.info("entries_cleared", gone=gone, days=settings.attache_retention_days)


async def _serve(
    schedule: Schedule, outbox: Outbox, others: Mapping[str, Callable[[], Coroutine[Any, Any, None]]], ending: Callable[[], None]
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(other(), name=name) for name, other in others.items()]
        sending = group.create_task(outbox.run(), name="outbox")
        scheduled = group.create_task(schedule.run(), name="schedule")
        await stop.wait()
        _log.info("stopping")
        ending()
        # Finish what is under way, within bounds; what stays unsent is in the outbox, for the next start.
        await schedule.drain(POLLS_SECONDS)
        outbox.stop()
        await asyncio.wait({sending}, timeout=SENDING_SECONDS)
        for task in (scheduled, sending, *tasks):
            task.cancel()
