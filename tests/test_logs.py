"""No secret reaches a log line, whatever its shape, at whatever level, by whichever way; lines are JSON, or readable."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.logs import Shape, configure_logs
from bot.scrubbing import STARS, Scrubber, scrubbed

WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LEVELS = ("info", "warning", "error", "critical")
SIGNING = "f3c0de11f3c0de11f3c0de11f3c0de11"  # no shape gives this one away


def made_of(letters: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(letters, min_size=least, max_size=most)


def joined(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(p) if isinstance(p, str) else p for p in parts)).map("".join)


# What must be gone, with the words around it that belong to its shape.
Planted = tuple[str, str]


def planted(before: str, body: st.SearchStrategy[str], after: str = "") -> st.SearchStrategy[Planted]:
    return body.map(lambda secret: (f"{before}{secret}{after}", secret))


SLACK = joined(
    st.sampled_from(["xoxb-", "xoxp-", "xoxe-1-", "xoxe.xoxp-1-", "xapp-1-", "xwfp-", "xoxa-2-", "XOXB-", "xoxb%2D"]),
    made_of(WORD + "-", 8, 60),
)
DISCORD = joined(made_of(WORD + "_-", 24, 28), ".", made_of(WORD + "_-", 6, 6), ".", made_of(WORD + "_-", 27, 38))
PASSWORD = made_of(WORD + "!$%^*()+=[]{}|~'\"\\:/?#", 6, 20).map(lambda p: f"Q{p}q")
OPAQUE = made_of(WORD + "-_.", 16, 40)
SECRETS = st.one_of(
    planted("", SLACK),
    planted("", DISCORD),
    planted("postgresql+psycopg://attache:", PASSWORD, "@db.example.com/attache"),
    planted("DATABASE_URL=postgres://u:", PASSWORD, "@127.0.0.1:5432/a"),
    planted("https://user:", PASSWORD, "@feeds.example.com/rss"),
    planted("Authorization: Bearer ", OPAQUE),
    planted("{'Authorization': 'Bot ", OPAQUE, "'}"),
    planted("('authorization', 'Basic ", OPAQUE, "')"),
    planted('{"access_token": "', OPAQUE, '"}'),
    planted("wss://wss.example.com/link/?ticket=", OPAQUE, "&app_id=1"),
    planted("SLACK_SIGNING_SECRET=", OPAQUE),
    planted("https://hooks.slack.com/commands/", joined("T", made_of(WORD, 8, 8), "/", made_of(WORD, 12, 24))),
    planted("https://discord.com/api/v10/webhooks/123456789012345678/", made_of(WORD + "_-", 40, 80)),
    st.just((SIGNING, SIGNING)),
)
AROUND = st.sampled_from(["", " ", "see ", "(", "\n", "it said: ", ", ", "ü ", "\t", "\u2028"])
SOME = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

Say = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, hooks, level = logging.getLogger(), (sys.excepthook, threading.excepthook), logging.getLogger().level
    handlers = list(root.handlers)
    yield
    structlog.reset_defaults()
    sys.excepthook, threading.excepthook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)


def written(say: Callable[[], None], shape: Shape = Shape.JSON) -> str:
    out = io.StringIO()
    configure_logs(shape=shape, secrets=[SIGNING, "abc"], stream=out)
    say()
    return out.getvalue()


class Odd:
    """A value whose secret shows itself in its repr only."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<Odd {self.text}>"


def as_event(level: str, text: str) -> None:
    getattr(structlog.get_logger(), level)(text)


def as_value(level: str, text: str) -> None:
    getattr(structlog.get_logger(), level)("said", problem=text, many=[{"in": (text, b"")}], odd=Odd(text))


def as_context(level: str, text: str) -> None:
    with structlog.contextvars.bound_contextvars(entry=text):
        getattr(structlog.get_logger().bind(delivery=text), level)("said")


def as_traceback(level: str, text: str) -> None:
    try:
        try:
            raise ValueError(text)
        except ValueError as error:
            raise RuntimeError(f"again {text}") from error
    except RuntimeError:
        getattr(structlog.get_logger(), level)("failed", exc_info=True)


def as_library(level: str, text: str) -> None:
    logger = logging.getLogger("a.library")
    try:
        raise OSError(text)
    except OSError:
        getattr(logger, "error" if level == "info" else level)("it said %s and %r", text, {"said": text}, exc_info=True, stack_info=True)


def as_crash(_: str, text: str) -> None:
    try:
        raise SystemError(text)
    except SystemError as error:
        sys.excepthook(SystemError, error, error.__traceback__)
        threading.excepthook(threading.ExceptHookArgs((SystemError, error, error.__traceback__, None)))


WAYS = (as_event, as_value, as_context, as_traceback, as_library, as_crash)


@SOME
@given(secret=SECRETS, before=AROUND, after=AROUND, way=st.sampled_from(WAYS), level=st.sampled_from(LEVELS), shape=st.sampled_from(Shape))
def test_no_secret_reaches_a_line(secret: Planted, before: str, after: str, way: Say, level: str, shape: Shape) -> None:
    shown, hidden = secret
    text = written(lambda: way(level, before + shown + after), shape)
    assert text
    assert hidden not in text
    assert json.dumps(hidden)[1:-1] not in text, "nor as JSON writes it"
    assert repr(hidden)[1:-1] not in text
    assert STARS in text
    if shape is not Shape.TEXT:
        assert all(isinstance(json.loads(line), dict) for line in text.splitlines() if line)


@pytest.mark.parametrize(
    "name", ["token", "bot_token", "Authorization", "set-cookie", "database_url", "client_secret", "password", "api_key"]
)
@pytest.mark.parametrize("value", ["hush", b"hush"])
def test_a_value_whose_name_says_that_it_is_secret_is_stars(name: str, value: object) -> None:
    (line,) = written(lambda: structlog.get_logger().info("said", **{name: value}, deep={name: [value]})).splitlines()
    told = json.loads(line)
    assert (told[name], told["deep"]) == (STARS, {name: [STARS]})


@given(st.text(max_size=300))
@SOME
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = scrubbed(text)
    assert scrubbed(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "India and Norland sign a trade deal: 14 tariffs go, 3 stay",
        "https://example.com/2026/03/a-deal?page=2#top and https://medium.com/@someone/post",
        "delivery_sent destination=slack:C0123456789 message=1700000000.000100",
        "expected the bot token, which starts with xoxb- (Slack app > OAuth & Permissions)",
        "sqlite+aiosqlite:///attache.db",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrubbed(text) == text


def test_time_to_scrub_grows_with_the_line_only() -> None:
    """Hostile text costs no more than its length: this would take minutes with a pattern that looks back and forth."""
    for hostile in ("a" * 200_000, "://a:" * 20_000, "a.b-" * 50_000, "token=" * 30_000, "authorization : " * 10_000):
        assert len(Scrubber([SIGNING]).text(hostile)) > 0


def test_json_has_level_time_and_what_is_bound() -> None:
    def say() -> None:
        with structlog.contextvars.bound_contextvars(entry="e1"):
            structlog.get_logger().info("filed", development="d1")

    told: dict[str, Any] = json.loads(written(say))
    assert told.pop("timestamp").endswith("Z")
    assert told == {"event": "filed", "level": "info", "entry": "e1", "development": "d1"}


def test_a_terminal_gets_text_and_a_file_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    configure_logs(stream=screen)
    structlog.get_logger().info("started", sources=3)
    assert "started" in screen.getvalue()
    assert not screen.getvalue().startswith("{")
    assert json.loads(written(lambda: structlog.get_logger().info("started"), Shape.AUTO))["event"] == "started"
    assert not written(lambda: structlog.get_logger().info("started"), Shape.TEXT).startswith("{")


def test_quiet_leaves_errors_only() -> None:
    out = io.StringIO()
    before = threading.excepthook
    configure_logs(quiet=True, stream=out)
    structlog.get_logger().warning("hm")
    logging.getLogger("a.library").warning("hm")
    assert not out.getvalue()
    structlog.get_logger().error("ouch")
    assert json.loads(out.getvalue())["event"] == "ouch"
    assert threading.excepthook is before


def test_an_interrupt_is_no_crash() -> None:
    assert not written(lambda: sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None))
    nothing = threading.ExceptHookArgs((SystemExit, None, None, None))
    assert not written(lambda: threading.excepthook(nothing))
