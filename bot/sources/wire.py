"""The wire: one httpx client whose every connection goes to an address that the policy has judged.

Does not use proxies from the environment: behind a proxy the address that is connected to could not be judged here.
"""

from __future__ import annotations

import asyncio
import functools
import http.cookiejar
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpcore
import httpx

from bot.sources.addresses import Policy, literal
from bot.sources.faults import Fault, fault

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

TRIES: Final = 4  # addresses of one name that are tried, in the order the system gives
RESOLVING: Final = 32  # threads: names that do not answer hold one for many seconds each, and nobody else may wait for them
ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)


class SystemResolver:
    """Resolves names with the system's own resolver, in threads of its own. Owned: `close` it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of `host`, the system's favourite first. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Take no more names; a look-up under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError as error:  # the resolver's own encoding of a label too long or empty
        raise OSError("not a host name") from error


class Door(httpcore.AsyncNetworkBackend):
    """Opens connections, only to addresses that the policy admits: resolves once, judges every answer, connects to what was judged."""

    def __init__(self, policy: Policy, resolve: Resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first judged address that answers. Raises SourceError for a refused or unknown host, else as httpcore does."""
        problem: Exception = httpcore.ConnectError("no address")
        for address in (await self._judged(host, port))[:TRIES]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    async def _judged(self, host: str, port: int) -> Sequence[str]:
        addresses = [host] if literal(host) else await self._looked_up(host, port)
        for address in addresses:
            if (reason := self._policy.refusal(address)) is not None:
                raise fault(Fault.ADDRESS, f"{host}: {address} {reason}")
        return addresses

    async def _looked_up(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise fault(Fault.NO_HOST, f"{host} has no address: {error.strerror or error}") from error
        if not addresses:
            raise fault(Fault.NO_HOST, f"{host} has no address")
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Wait between httpcore's own tries."""
        await asyncio.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    """A response's body as httpx wants it."""

    def __init__(self, parts: AsyncIterator[bytes], close: Callable[[], Awaitable[None]]) -> None:
        self._parts = parts
        self._close = close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._parts:
            yield part

    async def aclose(self) -> None:
        """Give the connection back, or close it."""
        await self._close()


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return the authorities that are trusted, read once."""
    return httpx.create_ssl_context()


class Transport(httpx.AsyncBaseTransport):
    """httpx over httpcore with the guarded door. httpcore's errors pass through untranslated."""

    def __init__(self, door: Door, at_once: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_trust(),
            max_connections=at_once + 8,  # the reader's own gate is the limit; connections on their way out need room beside it
            max_keepalive_connections=16,
            keepalive_expiry=10.0,
            http2=True,
            network_backend=door,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request without a body and return the response, its body unread."""
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.aiter_stream(), answer.aclose))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


def make_client(policy: Policy, resolve: Resolve, *, agent: str, at_once: int, seconds: float) -> httpx.AsyncClient:
    """Return the one client: guarded, HTTP/2, no proxies, no cookies, no redirects by itself. `seconds` bounds each step; the whole is bounded above."""
    headers = {"User-Agent": agent, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate, br"}
    no_cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        transport=Transport(Door(policy, resolve), at_once),
        headers=headers,
        cookies=no_cookies,
        timeout=httpx.Timeout(seconds, connect=seconds / 2),
        follow_redirects=False,
        trust_env=False,
    )
