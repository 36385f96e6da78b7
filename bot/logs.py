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
    first = _first(scrubber)
    last = [*_last(shape, out), _Line(scrubber)]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=stream is None,
    )
    handler = logging.StreamHandler(out)
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    handler.setFormatter(_Formatter(scrubber, foreign_pre_chain=first, processors=processors))
    logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns at each start that voice is not installed
    logging.basicConfig(handlers=[handler], level=logging.ERROR if quiet else logging.WARNING, force=True)
    sys.excepthook = _crashed
    if not quiet:
        threading.excepthook = _thread_crashed


def _first(scrubber: Scrubber) -> list[Any]:
    def scrub(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: scrubber.value(value, name) for name, value in event.items()}

    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, stamp, scrub]


def _last(shape: Shape, out: TextIO) -> list[Any]:
    if shape is Shape.TEXT or (shape is Shape.AUTO and out.isatty()):
        colors = out.isatty()
        return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]


class _Line:
    """Scrubs the finished line: tracebacks, and what only showed itself in a repr."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def __call__(self, _: object, __: str, line: str) -> str:
        return self._scrubber.text(line)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """The same for the lines of libraries, to which the standard library adds a traceback or a stack of its own."""

    def __init__(self, scrubber: Scrubber, **more: Any) -> None:  # noqa: ANN401  (handed on)
        super().__init__(**more)
        self._scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        return self._scrubber.text(super().format(record))


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("crashed", exc_info=(kind, error, trace))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None:
        _log.critical("thread_crashed", exc_info=(crash.exc_type, crash.exc_value, crash.exc_traceback))
