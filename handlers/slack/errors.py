"""What Slack's and the network's errors mean to Attaché. Foreign errors stop here; no text of theirs goes on, only Slack's own word."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

# what a call may raise: Slack's no, a broken connection, an answer that is not JSON (AttributeError and ValueError of slack_sdk's parser)
FOREIGN = (SlackClientError, aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError, AttributeError)
DEFAULT_WAIT = 30.0  # seconds, where a 429 names none: https://docs.slack.dev/apis/web-api/rate-limits
NO_SLACK = "http_"  # begins the code of an answer in which Slack says nothing
_RATE = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_PASSING = _RATE | {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "accesslimited"}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a call failed. `code` is Slack's own word, or ours where Slack said none; `wait` is in seconds, where Slack asked for it."""

    code: str
    passing: bool
    wait: float | None = None


def problem_of(error: BaseException) -> Problem:
    """Return what `error`, one of FOREIGN, means. Codes: https://docs.slack.dev/reference/methods/chat.postMessage#errors"""
    if not isinstance(error, SlackApiError):
        return Problem(code=_word(error), passing=True)
    response: Any = error.response  # slack_sdk puts its own answer here, or aiohttp's where the body was no JSON
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    data = getattr(response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    wait = _wait(getattr(response, "headers", {}), data)
    if status == 429 or code in _RATE:
        return Problem(code=code or "ratelimited", passing=True, wait=DEFAULT_WAIT if wait is None else wait)
    passing = code in _PASSING or status >= 500 or (status == 200 and not code)
    return Problem(code=code or f"{NO_SLACK}{status}", passing=passing, wait=wait if passing else None)


def _word(error: BaseException) -> str:
    if isinstance(error, ValueError | AttributeError):
        return "unreadable"
    return "timeout" if isinstance(error, TimeoutError) else "connection"


def _wait(headers: Any, data: object) -> float | None:  # noqa: ANN401  (aiohttp's or slack_sdk's mapping)
    """Return the longest of what the header and the body ask for; None where they ask for nothing."""
    header = {str(k).casefold(): v for k, v in dict(headers).items()}.get("retry-after")
    body = data.get("retry_after") if isinstance(data, dict) else None
    return max((seconds for said in (header, body) if (seconds := _seconds(said)) is not None), default=None)


def _seconds(said: object) -> float | None:
    """Return a number of seconds; None for what is none."""
    try:
        seconds = float(str(said))
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
