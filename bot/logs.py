"""Logging: structlog for ours, the same shape for the libraries'; readable in a terminal, JSON elsewhere. No user text at INFO."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Slack's and Discord's tokens and Slack's socket tickets, wherever a library should quote one
_SECRET = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=ticket=)[\w%-]+|\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}")


def configure_logs(*, quiet: bool = False) -> None:
    """Send every log line to standard error. `quiet`: errors only, for commands whose output is the answer."""
    level = logging.ERROR if quiet else logging.INFO
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, scrub, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, scrub, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, scrub, *last]
    )
    handler.setFormatter(formatter)
    logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns at each start that voice is not installed
    logging.basicConfig(handlers=[handler], level=logging.ERROR if quiet else logging.WARNING, force=True)


def scrub(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take tokens out of every text of a log line."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRET.sub("***", value)
    return event
