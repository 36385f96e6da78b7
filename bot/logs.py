"""Logging: structlog for ours, the same shape for the libraries'; readable in a terminal, JSON elsewhere. No user text at INFO.

Two threads run through the lines, bound where the work begins: `entry` while an entry is judged and filed, `development` from its filing to
its deliveries.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, MutableMapping
from enum import StrEnum
from types import TracebackType
from typing import Any, TextIO

import structlog

from bot.scrubbing import Scrubber

_log = structlog.get_logger()


class Shape(StrEnum):
    """How a line is written."""

    AUTO = "auto"  # text in a terminal, JSON elsewhere
    JSON = "json"
    TEXT = "text"


def configure_logs(*, quiet: bool = False, shape: Shape = Shape.AUTO, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send every log line, and every error that nobody caught, to `stream` (standard error), scrubbed; of `secrets` the very words.

    `quiet`: errors only, for commands whose output is the answer.
    """
    out = stream or sys.stderr
    scrubber = Scrubber(secrets)
    first, last = _first(scrubber, shape, out), _last(scrubber, shape, out)
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=stream is None,
    )
    handler = logging.StreamHandler(out)
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[_with_exception, *first], processors=processors))
    logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns at each start that voice is not installed
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it warns at each attempt to connect; we say once that the database is away
    logging.basicConfig(handlers=[handler], level=logging.ERROR if quiet else logging.WARNING, force=True)
    sys.excepthook = _crashed
    if not quiet:
        threading.excepthook = _thread_crashed


def _first(scrubber: Scrubber, shape: Shape, out: TextIO) -> list[Any]:
    """What makes plain, scrubbed values of a line. A traceback is one of them in JSON; in a terminal the renderer draws it."""

    def scrub(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: value if name == "exc_info" else scrubber.value(value, name) for name, value in event.items()}

    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    drawn = [] if _is_text(shape, out) else [structlog.processors.format_exc_info]
    return [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, stamp, *drawn, scrub]


def _last(scrubber: Scrubber, shape: Shape, out: TextIO) -> list[Any]:
    """What makes the line. JSON is left as it is: its escapes would hide where a secret begins, and it is made of scrubbed values."""
    if not _is_text(shape, out):
        return [structlog.processors.JSONRenderer()]
    colours = out.isatty()
    return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback), _Line(scrubber)]


def _is_text(shape: Shape, out: TextIO) -> bool:
    return shape is Shape.TEXT or (shape is Shape.AUTO and out.isatty())


class _Line:
    """Scrubs the finished line of a terminal: its traceback."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def __call__(self, _: object, __: str, line: str) -> str:
        return self._scrubber.text(line)


def _with_exception(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take a library's exception into the line, before it is made plain; its stack says nothing that helps us."""
    record: logging.LogRecord = event["_record"]
    if record.exc_info:
        event["exc_info"] = record.exc_info
    record.exc_info = record.exc_text = record.stack_info = None
    return event


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("crashed", exc_info=(kind, error, trace))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None:
        _log.critical("thread_crashed", exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback))
