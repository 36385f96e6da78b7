"""Work for any number of processes: jobs of Procrastinate, a queue in the same PostgreSQL as the store.

`clock` decides when and defers, `worker` does. What a transaction of the store makes necessary is deferred in that transaction: a crash
leaves neither a job without its cause nor a cause without its job. Alerts have no jobs, for the outbox is a queue already
(docs/decisions/0007-jobs-and-the-outbox.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, LiteralString

import procrastinate
import psycopg
import structlog
from procrastinate.connector import BaseConnector, Notify
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.entries import Source, SourceState
from bot.domain.errors import SettingsError, StoreError, Trouble
from bot.pipeline import Polled
from bot.ports import Filed
from bot.storage.trouble import trouble_of

POLL, ASSESS, RETAIN = "poll", "assess", "retain"
RAISED = "attache_raised"  # the channel of PostgreSQL's NOTIFY that says: the outbox has something
BATCH = 20  # sources a job
GATHER_SECONDS = 0.3  # polls that fall due together travel together
LOOK_SECONDS = 0.5  # how often the clock looks whether its polls are done
POLL_SECONDS = 120.0  # a poll that no worker has finished by then is given up; the source's next one is planned as usual
TICK_SECONDS = 15.0
AWAY_SECONDS = 2.0  # between attempts while the database is away
START_SECONDS = 25.0  # for a server that starts beside us
POOL_SECONDS = 10.0  # for a connection of the queue
LIVELY = {"connect_timeout": "5", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "20000"}
ALIVE_SECONDS = 5.0  # for an answer on the connection that holds the right to decide
FINISH_SECONDS = 6.0  # for jobs under way when everything stops
# The server gives the right to another clock when ours is gone without a word: https://www.postgresql.org/docs/current/runtime-config-connection.html
_RIGHT = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
KEEP_HOURS = 24  # of finished jobs
DECIDING = 0x0A77AC4E  # the advisory lock of the one clock that decides

_log = structlog.get_logger()


def conninfo(url: str) -> str:
    """Return the libpq address of an SQLAlchemy URL, by which a server that has gone without a word is noticed within half a minute or so.

    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
    """
    parsed = make_url(url).set(drivername="postgresql")
    own = {name: value for name, value in LIVELY.items() if name not in parsed.query}
    return parsed.update_query_dict(own).render_as_string(hide_password=False)


class QueueConnector(procrastinate.PsycopgConnector):
    """Says by `broke` that the database broke away. A procrastinate worker goes on without hearing of jobs, and without a heartbeat, after that."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  (those of the pool)
        super().__init__(**options)
        self.broke = asyncio.Event()

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:  # noqa: ANN401  (as procrastinate has it)
        """Run a statement, a worker's heartbeat among them."""
        with self._told():
            await super().execute_query_async(query, **arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Hear of new jobs, until cancelled."""
        with self._told():
            await super().listen_notify(on_notification, channels)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ConnectorException:
            self.broke.set()
            raise


def make_queue(url: str) -> procrastinate.App:
    """Return the queue in the database at `url`; it works inside `async with opened(queue)`."""
    # the pool's own waits double up to a minute and more, and would go on for as long after a server is back
    waits: dict[str, Any] = {"timeout": POOL_SECONDS, "reconnect_timeout": POOL_SECONDS}
    return procrastinate.App(connector=QueueConnector(conninfo=conninfo(url), min_size=1, max_size=4, **waits))


@asynccontextmanager
async def opened(queue: procrastinate.App, seconds: float = START_SECONDS) -> AsyncIterator[None]:
    """Connect the queue inside the block. Raises SettingsError when its server cannot be reached for so long."""
    try:
        async with asyncio.timeout(seconds):
            await queue.open_async()
    except (TimeoutError, ConnectorException, psycopg.OperationalError) as error:
        await queue.close_async()
        mend = "see that the server runs, and the name and password"
        raise SettingsError("ATTACHE_DATABASE_URL", f"the database cannot be reached; {mend}") from error
    try:
        yield
    finally:
        await queue.close_async()


async def make_tables(queue: procrastinate.App) -> None:
    """Make the queue's tables where they are missing."""
    found = await queue.connector.execute_query_one_async("SELECT to_regclass('procrastinate_jobs') IS NULL AS missing")
    if found["missing"]:
        await queue.schema_manager.apply_schema_async()


class Announcer:
    """Says, within a transaction of the store, what it makes necessary (port `bot.storage.writing.Announcer`)."""

    def __init__(self, queue: procrastinate.App) -> None:
        self._queue = queue

    async def arrived(self, connection: AsyncConnection) -> None:
        """Entries wait for assessment."""
        driver = (await connection.get_raw_connection()).driver_connection
        try:
            await self._queue.configure_task(ASSESS, connection=driver).defer_async()
        except ConnectorException as error:
            raise StoreError(trouble_of(error.__cause__) or Trouble.AWAY) from error

    async def raised(self, connection: AsyncConnection) -> None:
        """The outbox has something; whoever listens hears of it once the transaction is committed."""
        await connection.exec_driver_sql(f"NOTIFY {RAISED}")


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What a worker does for each kind of job."""

    poll: Callable[[Sequence[str]], Awaitable[None]]
    assess: Callable[[], Awaitable[None]]
    retain: Callable[[], Awaitable[None]]


async def work(queue: procrastinate.App, hands: Hands, *, name: str, at_once: int) -> None:
    """Do jobs until cancelled; jobs under way are finished first. `at_once` bounds how many. A database that is away is waited for."""

    async def poll(sources: list[str]) -> None:
        await hands.poll(sources)

    async def assess() -> None:
        await hands.assess()

    async def retain() -> None:
        await hands.retain()

    queue.task(name=POLL)(poll)
    queue.task(name=ASSESS)(assess)
    queue.task(name=RETAIN)(retain)
    while True:
        running = queue.run_worker_async(
            name=name,
            concurrency=at_once,
            install_signal_handlers=False,
            shutdown_graceful_timeout=FINISH_SECONDS,
            delete_jobs="successful",
        )
        with suppress(ConnectorException):
            await _until_broken(running, queue.connector)
        _log.warning("queue_unreachable", again_in=AWAY_SECONDS)
        await asyncio.sleep(AWAY_SECONDS)


async def _until_broken(running: Coroutine[Any, Any, None], connector: BaseConnector) -> None:
    """Run a worker until the database breaks away under it, or until cancelled; what it is at is finished first."""
    assert isinstance(connector, QueueConnector)  # noqa: S101  (make_queue made it)
    connector.broke.clear()
    working, broken = asyncio.create_task(running, name="worker"), asyncio.create_task(connector.broke.wait(), name="queue watch")
    try:
        await asyncio.wait({working, broken}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        broken.cancel()
        working.cancel()
        await asyncio.wait({working})
    if not working.cancelled():
        working.result()


@dataclass(kw_only=True)
class _Asked:
    """A poll that a worker is to make."""

    source: Source
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class RemoteLine:
    """Polls by way of the workers (port `bot.schedule.Line`): defers a job for the sources that fall due together, and waits for it."""

    def __init__(self, queue: procrastinate.App, states: Callable[[Sequence[str]], Awaitable[dict[str, SourceState]]]) -> None:
        self._queue = queue
        self._states = states
        self._gathered: list[_Asked] = []
        self._under_way: dict[int, list[_Asked]] = {}

    async def poll(self, source: Source, state: SourceState) -> tuple[Polled, SourceState]:
        """Have a source polled. Raises TimeoutError when no worker has done it in POLL_SECONDS."""
        asked = _Asked(source=source)
        self._gathered.append(asked)
        async with asyncio.timeout(POLL_SECONDS):
            await asked.done
        after = (await self._states([source.name])).get(source.name, state)
        return Polled(source=source, problem=after.problem), after

    async def assess(self) -> list[Filed]:
        """Nothing: the job is deferred with the entries."""
        return []

    async def run(self) -> None:
        """Defer what was gathered and look for what is done, until cancelled."""
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._defer()
                await self._look()
            except ConnectorException as error:  # the polls that wait are given up after POLL_SECONDS, and planned again
                _log.warning("queue_unreachable", problem=type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)

    async def _defer(self) -> None:
        gathered, self._gathered = [a for a in self._gathered if not a.done.done()], []
        for start in range(0, len(gathered), BATCH):
            batch = gathered[start : start + BATCH]
            number = await self._queue.configure_task(POLL).defer_async(sources=[a.source.name for a in batch])
            self._under_way[number] = batch

    async def _look(self) -> None:
        if not self._under_way:
            return
        rows = await self._queue.connector.execute_query_all_async(
            "SELECT id FROM procrastinate_jobs WHERE id = ANY(%(ids)s) AND status IN ('todo', 'doing')", ids=list(self._under_way)
        )
        for number in self._under_way.keys() - {row["id"] for row in rows}:
            for asked in self._under_way.pop(number):
                if not asked.done.done():
                    asked.done.set_result(None)
        self._under_way = {number: batch for number, batch in self._under_way.items() if not all(a.done.done() for a in batch)}


async def tick(queue: procrastinate.App) -> None:
    """Have swept up what a crash left, every TICK_SECONDS until cancelled: jobs of dead workers, entries whose job was lost."""
    while True:
        try:
            with suppress(AlreadyEnqueued):
                await queue.configure_task(ASSESS, queueing_lock=ASSESS).defer_async()
            for job in await queue.job_manager.get_stalled_jobs():
                _log.warning("job_taken_again", job=job.id, kind=job.task_name)
                await queue.job_manager.retry_job(job)
        except ConnectorException as error:
            _log.warning("queue_unreachable", problem=type(error).__name__)
        await asyncio.sleep(TICK_SECONDS)


async def defer_retention(queue: procrastinate.App) -> None:
    """Have old entries cleared away."""
    with suppress(AlreadyEnqueued):
        await queue.configure_task(RETAIN, queueing_lock=RETAIN).defer_async()
    await queue.job_manager.delete_old_jobs(KEEP_HOURS, include_failed=True, include_cancelled=True, include_aborted=True)


_GONE = (psycopg.OperationalError, ConnectorException, StoreError, TimeoutError)


class OnlyOne:
    """The right to decide, which one process has at a time: a lock of PostgreSQL on a connection of its own, gone with the process.

    Who loses the connection, or gets no answer on it for `alive` seconds, has lost the right, and stops deciding.
    """

    def __init__(self, url: str, *, again: timedelta = timedelta(seconds=2), alive: float = ALIVE_SECONDS) -> None:
        self._conninfo = conninfo(url)
        self._again, self._alive = again.total_seconds(), alive

    async def hold(self, then: Callable[[], Awaitable[None]]) -> None:
        """Run `then` whenever the right is held, and stand by otherwise, until cancelled; a lost connection ends `then`, and the wait begins anew."""
        while True:
            try:
                await self._hold_once(then)
                return
            except* _GONE as lost:
                _log.warning("clock_lost_the_database", problem=type(lost.exceptions[0]).__name__, again_in=AWAY_SECONDS)
            _pass_on_cancellation()
            await asyncio.sleep(AWAY_SECONDS)

    async def _hold_once(self, then: Callable[[], Awaitable[None]]) -> None:
        connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True, options=_RIGHT)
        try:
            await self._wait(connection)
            _log.info("clock_decides")
            async with asyncio.TaskGroup() as group:
                running = group.create_task(_awaited(then()), name="clock")
                watching = group.create_task(self._watch(connection), name="the right to decide")
                await asyncio.wait({running})
                watching.cancel()
        finally:
            await connection.close()  # at once: leaving it as a context would wait for an answer that may never come

    async def _wait(self, connection: psycopg.AsyncConnection) -> None:
        told = False
        while True:
            row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (DECIDING,))).fetchone()
            if row and row[0]:
                return
            if not told:
                _log.info("clock_stands_by")
                told = True
            await asyncio.sleep(self._again)

    async def _watch(self, connection: psycopg.AsyncConnection) -> None:
        """Ask again and again whether the connection lives. Raises TimeoutError at once where there is no answer in time."""
        while True:
            await asyncio.sleep(self._again)
            asking = asyncio.create_task(_awaited(connection.execute("SELECT 1")), name="does it live")
            try:
                await asyncio.wait({asking}, timeout=self._alive)
                if not asking.done():
                    await connection.close()  # else the question, when it is dropped, waits for the server to hear that
                    raise TimeoutError
                asking.result()
            finally:
                asking.cancel()


def _pass_on_cancellation() -> None:
    """Raise CancelledError where a task group swallowed it: one of whose tasks failed at the same moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _awaited(work: Awaitable[object]) -> None:
    await work


async def listen(url: str, heard: Callable[[], None]) -> None:
    """Call `heard` whenever a transaction raised an alert, until cancelled; after a broken connection too."""
    while True:
        with suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(conninfo(url), autocommit=True) as connection:
                await connection.execute(f"LISTEN {RAISED}")
                heard()
                async for _ in connection.notifies():
                    heard()
        await asyncio.sleep(AWAY_SECONDS)
