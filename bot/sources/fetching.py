"""Fetching one address: conditionally, politely, within bounds, redirects followed by hand and judged one by one."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpcore
import httpx

from bot.domain.entries import canonical
from bot.domain.errors import SourceError
from bot.domain.moments import utc
from bot.sources.addresses import Policy, check_url, shown
from bot.sources.faults import Fault, fault
from bot.sources.limits import Budget, Gates, Limits
from bot.sources.unpacking import unpacker

MAX_RETRY_AFTER = 86_400.0  # seconds; whoever asks for longer is asked again after a day
MAX_VALIDATOR = 512  # characters of an ETag or a date that are kept

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})")
_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
_REFUSALS = (401, 402, 403, 407, 451)
_NETWORK = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A body as fetched: unpacked bytes, the address it came from in the end, and the server's word on what it is."""

    body: bytes
    url: str
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The answer to a poll. `document` is None when the server said that nothing changed. `moved` is the new address after permanent redirects only.

    `asked` is the server's Cache-Control max-age in seconds.
    """

    document: Document | None
    etag: str | None = None
    modified: str | None = None
    moved: str | None = None
    asked: float | None = None


class Fetcher:
    """Fetches with one client. Does not parse and does not retry: when to ask again is the schedule's matter."""

    def __init__(self, client: httpx.AsyncClient, policy: Policy, limits: Limits) -> None:
        self._client = client
        self._policy = policy
        self._limits = limits
        self._gates = Gates(limits)

    async def fetch(self, url: str, *, etag: str | None, modified: str | None, now: datetime, held: AsyncExitStack) -> Fetched:
        """Return what `url` answers. Raises SourceError only. A permit for a heavy body stays in `held`, which the caller closes after parsing."""
        budget = Budget(self._limits.seconds)
        target, moved = check_url(url, self._policy), True
        for hop in range(self._limits.redirects + 1):
            answer = await self._one(target, _conditions(etag, modified), budget, now, held)
            if isinstance(answer, Fetched):
                gone_to = str(target) if hop and moved and canonical(str(target)) != canonical(url) else None
                return replace(answer, moved=gone_to)
            target, permanent = answer
            moved = moved and permanent
        raise fault(Fault.REDIRECTS, f"more than {self._limits.redirects} redirects, the last to {shown(target)}")

    async def _one(
        self, url: httpx.URL, conditions: dict[str, str], budget: Budget, now: datetime, held: AsyncExitStack
    ) -> Fetched | tuple[httpx.URL, bool]:
        """Make one request: the answer, or where it points to and whether for good."""
        try:
            async with self._gates.through(url.netloc.decode("ascii")), budget.running():
                response = await self._client.send(self._client.build_request("GET", url, headers=conditions), stream=True)
                try:
                    return await self._answer(response, url, bool(conditions), budget, now, held)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise fault(Fault.TIMEOUT, f"{shown(url)} did not finish within {self._limits.seconds:g} s") from error
        except _NETWORK as error:
            raise _network_fault(error, url) from error
        except httpx.RemoteProtocolError as error:  # httpx reads the target of a redirect although it is not to follow it
            raise fault(Fault.ADDRESS, f"{shown(url)}: {error}") from error

    async def _answer(
        self, response: httpx.Response, url: httpx.URL, conditional: bool, budget: Budget, now: datetime, held: AsyncExitStack
    ) -> Fetched | tuple[httpx.URL, bool]:
        status = response.status_code
        if status in _REDIRECTS:
            return self._target(response, url), status in _PERMANENT
        etag, modified = _validator(response, "ETag"), _validator(response, "Last-Modified")
        if status == HTTPStatus.NOT_MODIFIED and conditional:
            return Fetched(document=None, etag=etag, modified=modified, asked=max_age(response.headers.get("Cache-Control")))
        if status not in (200, 203):
            raise _status_fault(response, now)
        body = await self._body(response, budget, held)
        document = Document(body=body, url=str(url), content_type=response.headers.get("Content-Type", "")[:200])
        return Fetched(document=document, etag=etag, modified=modified, asked=max_age(response.headers.get("Cache-Control")))

    def _target(self, response: httpx.Response, url: httpx.URL) -> httpx.URL:
        location = response.headers.get("Location", "").strip()
        if not location:
            raise fault(Fault.REDIRECTS, f"{shown(url)} redirects to nowhere")
        try:
            joined = str(url.join(location))
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise fault(Fault.ADDRESS, f"{shown(url)} redirects to {location[:80]!r}, which is no address") from error
        return check_url(joined, self._policy)

    async def _body(self, response: httpx.Response, budget: Budget, held: AsyncExitStack) -> bytes:
        """Return the unpacked body; stop as soon as it is too long."""
        limit, body, permitted = self._limits.body, bytearray(), False
        parts = unpacker(response.headers.get("Content-Encoding"))
        began, came = asyncio.get_running_loop().time(), 0
        async for chunk in response.aiter_raw():
            came += len(chunk)
            self._check_pace(came, asyncio.get_running_loop().time() - began)
            for piece in parts.feed(chunk):
                body += piece
                if len(body) > limit:
                    raise fault(Fault.TOO_BIG, f"the body is longer than {limit / 1024 / 1024:g} MB unpacked")
            if len(body) > self._limits.light and not permitted:
                permitted = True
                async with budget.paused():
                    waited = asyncio.get_running_loop().time()
                    await held.enter_async_context(self._gates.heavy)
                    began += asyncio.get_running_loop().time() - waited
        return bytes(body)

    def _check_pace(self, came: int, seconds: float) -> None:
        if seconds > self._limits.grace and came < self._limits.slowest * seconds:
            raise fault(Fault.TIMEOUT, f"after {seconds:.0f} s only {came} bytes had come")


def _conditions(etag: str | None, modified: str | None) -> dict[str, str]:
    held = {"If-None-Match": etag, "If-Modified-Since": modified}
    return {name: value for name, value in held.items() if value}


def _validator(response: httpx.Response, name: str) -> str | None:
    """Return a header that may be sent back one day: printable ASCII, short; else None."""
    value = response.headers.get(name, "").strip()
    return value if value and len(value) <= MAX_VALIDATOR and value.isascii() and value.isprintable() else None


def _status_fault(response: httpx.Response, now: datetime) -> SourceError:
    status = response.status_code
    words = f"HTTP {status}"
    wait = retry_after(response.headers.get("Retry-After"), now)
    if status in _REFUSALS:
        return fault(Fault.REFUSED, f"{words}: the server refuses us", wait)
    if status == HTTPStatus.NOT_FOUND:
        return fault(Fault.NOT_FOUND, f"{words}: there is nothing at this address")
    if status == HTTPStatus.GONE:
        return fault(Fault.GONE, f"{words}: the publisher has taken it away for good")
    if status in (429, 503):
        return fault(Fault.BUSY, f"{words}: the server asks us to come later", wait)
    if status >= 500:
        return fault(Fault.SERVER, f"{words}: the server has a problem", wait)
    return fault(Fault.STATUS, f"{words}: not an answer that a feed gives", wait)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number, or a date against `now`), at most MAX_RETRY_AFTER; None for none."""
    text = (value or "").strip()[:64]
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        seconds = (utc(parsedate_to_datetime(text)) - now).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def max_age(value: str | None) -> float | None:
    """Return the seconds for which a Cache-Control header lets an answer be kept; None for none (RFC 9111, section 5.2.2)."""
    directives = (value or "").casefold()[:512]
    found = _MAX_AGE.search(directives)
    if found is None or "no-cache" in directives or "no-store" in directives:
        return None
    return min(float(found[1]), MAX_RETRY_AFTER)


def _network_fault(error: Exception, url: httpx.URL) -> SourceError:
    where = shown(url)
    if isinstance(error, httpcore.TimeoutException):
        return fault(Fault.TIMEOUT, f"{where} did not answer in time")
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError):
        return fault(Fault.TLS, f"{where}: {error}")
    if isinstance(error, httpcore.ConnectError):
        return fault(Fault.UNREACHABLE, f"{where} takes no connection: {error}")
    return fault(Fault.BROKEN_OFF, f"{where} broke off: {error or type(error).__name__}")
