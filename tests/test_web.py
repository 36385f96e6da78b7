"""What a machine asks over HTTP, with a real client, server and store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
import structlog
from aiohttp import web
from pydantic import SecretStr

import bot.web as module
from bot.domain.errors import SettingsError
from bot.web import STALE_SECONDS, Check, Entrance


@dataclass
class Process:
    """What the entrance asks, and how often."""

    still: float = 0.0
    checks: dict[str, Check] = field(default_factory=dict)
    asked: int = 0
    token: SecretStr | None = None

    def passing(self, name: str, passes: Callable[[], bool]) -> None:
        async def check() -> bool:
            self.asked += 1
            return passes()

        self.checks[name] = check

    async def figures(self) -> bytes:
        return b"attache_up 1\n"

    def entrance(self) -> Entrance:
        return Entrance(
            heartbeat=lambda: self.still,
            checks=self.checks,
            figures=self.figures,
            content_type="text/plain; version=0.0.4",
            token=self.token,
        )


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: dict[str, str]


@dataclass
class Client:
    session: aiohttp.ClientSession
    port: int

    async def get(self, path: str, **more: object) -> Answer:
        async with self.session.request(str(more.pop("method", "GET")), f"http://127.0.0.1:{self.port}{path}", **more) as answer:  # type: ignore[arg-type]  # fields by name
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def raw(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(5):
            answer = await reader.read(10_000)
        writer.close()
        await writer.wait_closed()
        return answer


@asynccontextmanager
async def asking(process: Process) -> AsyncIterator[Client]:
    async with process.entrance().open(0) as port, aiohttp.ClientSession() as session:
        yield Client(session, port)


@pytest.fixture
def process() -> Process:
    return Process()


async def test_a_loop_that_moves_is_alive_and_one_that_stood_still_is_not(process: Process) -> None:
    async with asking(process) as client:
        answer = await client.get("/healthz")
        assert (answer.status, answer.body) == (200, '{"ok": true}')
        process.still = STALE_SECONDS
        answer = await client.get("/healthz")
        assert (answer.status, answer.body) == (503, '{"ok": false}')


async def test_ready_is_who_passes_every_check(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", -1.0)
    has_model = False
    process.passing("database", lambda: True)
    process.passing("model", lambda: has_model)
    async with asking(process) as client:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/readyz")
        assert (answer.status, answer.body) == (503, '{"ready": false, "checks": {"database": true, "model": false}}')
        assert [(line["event"], line["check"]) for line in logs] == [("not_ready", "model")]
        has_model = True
        assert (await client.get("/readyz")).status == 200


async def test_a_check_that_raises_or_hangs_has_failed_and_tells_nobody_why(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)

    async def hangs() -> bool:
        await asyncio.sleep(3600)
        return True

    def breaks() -> bool:
        raise OSError("postgresql://u:hush-hush@db is away")

    process.checks["schema"] = hangs
    process.passing("database", breaks)
    async with asking(process) as client:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/readyz")
    assert (answer.status, answer.body) == (503, '{"ready": false, "checks": {"schema": false, "database": false}}')
    assert {(line["check"], line["problem"]) for line in logs} == {("schema", "TimeoutError"), ("database", "OSError")}
    assert "hush" not in f"{answer}{logs}"


async def test_however_often_it_is_asked_the_database_is_asked_once(process: Process) -> None:
    process.passing("database", lambda: True)
    async with asking(process) as client:
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert process.asked == 1


async def test_figures_are_for_whoever_asks_or_for_whoever_has_the_token(process: Process) -> None:
    async with asking(process) as client:
        answer = await client.get("/metrics")
        assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, "attache_up 1\n", "text/plain; version=0.0.4")
    process.token = SecretStr("hüsh")
    async with asking(process) as client:
        for wrong in ({}, {"Authorization": "Bearer hush"}, {"Authorization": "Bearer "}, {"Authorization": "hüsh"}):
            answer = await client.get("/metrics", headers=wrong)
            assert (answer.status, answer.body) == (401, "")
        assert (await client.get("/metrics", headers={"Authorization": "Bearer hüsh"})).status == 200
        assert (await client.get("/healthz")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/healthz/../metrics/x", 404), ("POST", "/metrics", 405)]
)
async def test_there_is_nothing_else(process: Process, method: str, path: str, status: int) -> None:
    async with asking(process) as client:
        assert (await client.get(path, method=method)).status == status


async def test_no_answer_says_what_runs_here(process: Process) -> None:
    async with asking(process) as client:
        answers = [
            await client.raw(data) for data in (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /nope HTTP/1.1\r\nHost: a\r\n\r\n")
        ]
        for told in answers:
            assert b"Server: attache\r\n" in told
            assert b"aiohttp" not in told
            assert b"Python" not in told


async def test_an_error_of_ours_is_in_the_log_and_what_is_no_http_is_not(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    async with asking(process) as client:
        assert b" 400 " in (await client.raw(b"GET /a b HTTP/9\r\nbad\r\n\r\n")).splitlines()[0]
        assert not caplog.records
        process.still = None  # type: ignore[assignment]  # so that our handler breaks
        answer = await client.get("/healthz")
        assert answer.status == 500
        assert "Traceback" not in answer.body
        assert [record.name for record in caplog.records] == ["attache.http"]


async def test_headers_and_bodies_are_bounded(process: Process) -> None:
    long = b"a" * (module.MAX_HEADER + 1000)
    async with asking(process) as client:
        assert b" 400 " in (await client.raw(b"GET /" + long + b" HTTP/1.1\r\nHost: a\r\n\r\n")).splitlines()[0]
        assert b" 400 " in (await client.raw(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + long + b"\r\n\r\n")).splitlines()[0]
        answer = await client.get("/healthz", data=b"a" * 1_000_000)
        assert answer.status == 200, "a body that nobody reads does no harm"


async def test_a_port_that_is_taken_is_named(process: Process) -> None:
    async with asking(process) as client:
        with pytest.raises(SettingsError, match=rf"^ATTACHE_HTTP_PORT: {client.port} cannot be listened on"):
            async with process.entrance().open(client.port):
                pass


async def test_the_routes_can_be_mounted_into_another_server(process: Process) -> None:
    app = web.Application()
    app.router.add_routes(process.entrance().routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as session:
            assert (await Client(session, runner.addresses[0][1]).get("/healthz")).status == 200
    finally:
        await runner.cleanup()
