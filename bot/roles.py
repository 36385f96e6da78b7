"""The processes of an installation on PostgreSQL: `migrate`, `clock`, `worker`, `web`, `discord`. Each composes its part of `bot.app`.

One process on SQLite (`attache run`) needs none of this.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import procrastinate
import structlog

from bot import jobs
from bot.app import (
    SENDING_SECONDS,
    Outside,
    SystemClock,
    list_sources,
    make_discord,
    make_pipeline,
    make_reader,
    make_slack,
    open_judge,
    open_outside,
    open_store,
    patiently,
    read_places,
    retain,
    source_names,
    subscribe_channels,
)
from bot.delivery.outbox import Outbox
from bot.domain.alerts import Destination, Surface
from bot.domain.entries import Source, SourceState
from bot.domain.errors import SettingsError, StoreError
from bot.domain.health import Bounds
from bot.judge.places import Places
from bot.judge.watching import Watching
from bot.metrics import MeasuredClassifier, MeasuredLine
from bot.oversight import Oversight, StoreWatch
from bot.pipeline import Pipeline
from bot.ports import Notifier, Sender
from bot.schedule import Line, Schedule
from bot.storage.store import SqlStore
from config.settings import Settings
from handlers.commands import Commands
from handlers.desks import make_commands
from handlers.discord.rest import opened
from handlers.sources import SourceDesk

AT_ONCE = 4  # jobs of a worker: a poll waits for the network most of its time
RETAIN_EVERY = timedelta(hours=6)
CLOSING_SECONDS = 7.0  # after SIGTERM; connections close within two more, so that the whole stays below ten

Work = Callable[[], Awaitable[None]]

_log = structlog.get_logger()


def _nothing() -> None:
    """Nothing: whoever raised an alert said so in its transaction, and whoever is not in a process of its own need not end it."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What every role stands on."""

    store: SqlStore
    queue: procrastinate.App
    outside: Outside
    watch: StoreWatch


@dataclass(kw_only=True)
class Posts:
    """What can be posted without listening: a sender for each surface that has a token, what reaches the admins, the channels of the settings."""

    senders: dict[Surface, Sender] = field(default_factory=dict)
    notifiers: list[Notifier] = field(default_factory=list)
    channels: list[Destination] = field(default_factory=list)


@asynccontextmanager
async def _floor(
    settings: Settings, sources: Sequence[Source] = (), *, migrating: bool = False, has_model: bool = True
) -> AsyncIterator[Floor]:
    """Open the store, the queue, and what is seen from outside. Raises SettingsError for a database that cannot hold a queue."""
    if not settings.attache_database_url.startswith("postgres"):
        raise SettingsError("ATTACHE_DATABASE_URL", "several processes need PostgreSQL; for one process on SQLite there is `attache run`")
    queue, watch = jobs.make_queue(settings.attache_database_url), StoreWatch()
    async with (
        jobs.opened(queue),
        open_store(settings.attache_database_url, announcer=jobs.Announcer(queue), migrating=migrating, watch=watch) as store,
        open_outside(settings, store, lambda: source_names(sources, store), watch, has_model=has_model) as outside,
    ):
        yield Floor(store=store, queue=queue, outside=outside, watch=watch)


@asynccontextmanager
async def _posts(settings: Settings, places: Places, commands: Commands, store: SqlStore) -> AsyncIterator[Posts]:
    posts = Posts()
    async with AsyncExitStack() as held:
        if settings.has_slack:
            slack = make_slack(settings, commands, places, store)
            posts.senders[Surface.SLACK] = slack.sender
            if settings.slack_alert_channel:
                posts.channels.append(Destination(surface=Surface.SLACK, address=settings.slack_alert_channel))
            if settings.slack_admin_channel:
                posts.notifiers.append(slack.notifier(settings.slack_admin_channel))
        if settings.discord_bot_token and settings.discord_alert_channel:
            token, url = settings.discord_bot_token, settings.discord_api_url
            post = await held.enter_async_context(opened(token=token, gazetteer=places, api_url=url))
            posts.senders[Surface.DISCORD] = post.sender
            posts.channels.append(Destination(surface=Surface.DISCORD, address=str(settings.discord_alert_channel)))
            if settings.discord_admin_channel:
                posts.notifiers.append(post.notifier(settings.discord_admin_channel))
        yield posts


async def migrate(settings: Settings) -> None:
    """Bring the schema of the store and of the queue to the newest revision."""
    unseen = settings.model_copy(update={"attache_http_port": None})  # the processes that it makes room for may still serve there
    async with _floor(unseen, migrating=True) as floor:
        await jobs.make_tables(floor.queue)
    _log.info("migrated")


async def clock(settings: Settings, sources: Sequence[Source], ending: Callable[[], None] = _nothing) -> None:
    """Decide what runs when, as the only one; stand by while another does."""
    async with _floor(settings, sources) as floor, _posts(settings, read_places(), _no_commands(floor, settings), floor.store) as posts:
        await patiently(lambda: subscribe_channels(floor.store, posts.channels, SystemClock().now()))

        async def decide() -> None:
            line = jobs.RemoteLine(floor.queue, floor.store.source_states)
            schedule = Schedule(
                pipeline=line,
                list_sources=lambda: list_sources(sources, floor.store),
                list_states=floor.store.source_states,
                on_alert=_nothing,
                look=Oversight(store=floor.store, notifiers=posts.notifiers, clock=SystemClock()).look,
                bounds=Bounds(fastest=settings.attache_poll_fastest, slowest=settings.attache_poll_slowest),
            )
            await _together(schedule.run, line.run, lambda: jobs.tick(floor.queue), lambda: _retain(floor.queue))

        only_one = jobs.OnlyOne(settings.attache_database_url)
        await _until_told(
            lambda: _together(lambda: only_one.hold(decide), lambda: floor.watch.run(floor.store.writes, posts.notifiers)), ending
        )


async def worker(settings: Settings, sources: Sequence[Source], ending: Callable[[], None] = _nothing) -> None:
    """Do the jobs, and send what is due; any number of these."""
    clock = SystemClock()
    async with (
        _floor(settings, sources, has_model=False) as floor,
        open_judge(settings.attache_model, settings.attache_summary_model) as judge,
        make_reader(settings) as reader,
        _posts(settings, read_places(), _no_commands(floor, settings), floor.store) as posts,
    ):
        floor.outside.has_model, metrics = True, floor.outside.metrics
        measured = replace(judge, classifier=MeasuredClassifier(judge.classifier, metrics))
        pipeline = make_pipeline(
            reader=reader, store=floor.store, judge=measured, clock=clock, articles=reader.articles, report=metrics.filed
        )
        line = MeasuredLine(pipeline, metrics)
        outbox = Outbox(store=floor.store, senders=posts.senders, clock=clock, notifiers=posts.notifiers, report=metrics.delivered)
        hands = jobs.Hands(
            poll=lambda names: _poll(names, line, sources, floor.store),
            assess=lambda: _assess(pipeline),
            retain=lambda: retain(settings, floor.store),
        )
        name = f"{socket.gethostname()}-{os.getpid()}"
        _log.info("worker_started", name=name)
        await _until_told(
            lambda: _together(
                lambda: jobs.work(floor.queue, hands, name=name, at_once=AT_ONCE),
                lambda: _sending(outbox),
                lambda: jobs.listen(settings.attache_database_url, outbox.wake),
                lambda: floor.watch.run(floor.store.writes),
            ),
            ending,
        )


async def web(settings: Settings, sources: Sequence[Source], ending: Callable[[], None] = _nothing) -> None:
    """Answer Slack over HTTP."""
    if not settings.slack_http:
        raise SettingsError("SLACK_SIGNING_SECRET", "the role web needs it, and PORT: it is Slack's way in over HTTP")
    async with _floor(settings, sources) as floor, make_reader(settings) as reader:
        commands = _commands(
            floor,
            settings,
            SourceDesk(
                library=floor.store, reader=reader, prober=reader.prober, listed=sources, clock=SystemClock(), changed=_nothing_at_all
            ),
        )
        slack = make_slack(settings, commands, read_places(), floor.store, floor.outside.entrance.routes())
        await _until_told(lambda: _together(slack.run, lambda: floor.watch.run(floor.store.writes)), ending)


async def discord(settings: Settings, sources: Sequence[Source], ending: Callable[[], None] = _nothing) -> None:
    """Hold Discord's gateway and answer its commands."""
    if settings.discord_bot_token is None:
        raise SettingsError("DISCORD_BOT_TOKEN", "the role discord needs it")
    async with _floor(settings, sources) as floor, make_reader(settings) as reader:
        commands = _commands(
            floor,
            settings,
            SourceDesk(
                library=floor.store, reader=reader, prober=reader.prober, listed=sources, clock=SystemClock(), changed=_nothing_at_all
            ),
        )
        surface = make_discord(settings, settings.discord_bot_token, commands, read_places())
        await _until_told(lambda: _together(surface.run, lambda: floor.watch.run(floor.store.writes)), ending)


def _commands(floor: Floor, settings: Settings, desk: SourceDesk | None) -> Commands:
    places = read_places()
    return make_commands(
        store=floor.store, gazetteer=places, language=Watching(places), clock=SystemClock(), admins=settings.admins, sources=desk
    )


def _no_commands(floor: Floor, settings: Settings) -> Commands:
    """For a surface that only posts: it is never asked anything."""
    return _commands(floor, settings, None)


async def _poll(names: Sequence[str], line: Line, sources: Sequence[Source], store: SqlStore) -> None:
    """Poll sources by name; one whose name nobody knows any more is passed over."""
    listed = {source.name: source for source in await list_sources(sources, store)}
    states = await store.source_states(names)
    wanted = [listed[name] for name in names if name in listed]
    results = await asyncio.gather(
        *(line.poll(source, states.get(source.name, SourceState(name=source.name))) for source in wanted), return_exceptions=True
    )
    for source, result in zip(wanted, results, strict=True):
        if isinstance(result, StoreError):  # the clock plans the source again
            _log.warning("poll_lost", source=source.name, trouble=result.trouble)
        elif isinstance(result, BaseException):
            _log.error("poll_failed", source=source.name, problem=repr(result)[:200])


async def _sending(outbox: Outbox) -> None:
    """Send until cancelled; what is under way then is finished, within bounds, so that nobody has to look for it later."""
    sending = asyncio.create_task(outbox.run(), name="outbox")
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        outbox.stop()
        await asyncio.wait({sending}, timeout=SENDING_SECONDS)
        sending.cancel()
        await asyncio.wait({sending})
        raise


async def _assess(pipeline: Pipeline) -> None:
    await pipeline.assess()


async def _retain(queue: procrastinate.App) -> None:
    while True:
        await jobs.defer_retention(queue)
        await asyncio.sleep(RETAIN_EVERY.total_seconds())


async def _nothing_at_all() -> None:
    """Nothing: the clock looks for itself."""


async def _together(*work: Work) -> None:
    """Do all of it until one ends in an error or the whole is cancelled."""
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(_done(one))


async def _done(work: Work) -> None:
    await work()


async def _until_told(work: Work, ending: Callable[[], None]) -> None:
    """Work until SIGTERM or SIGINT, then say so by `ending`, and end within CLOSING_SECONDS."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    working, told = asyncio.create_task(_done(work)), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if stop.is_set():
            _log.info("stopping")
            ending()
        told.cancel()
        working.cancel()
        await asyncio.wait({working}, timeout=CLOSING_SECONDS)
    if not working.done():
        _log.warning("stopped_hard", after=CLOSING_SECONDS)
    elif not working.cancelled() and (error := working.exception()) is not None:
        raise error
