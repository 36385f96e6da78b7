"""Nothing from outside pings, links falsely, formats or breaks a limit, whatever it is made of."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alerts import Alert, Destination, Surface
from bot.domain.assessment import Person
from bot.domain.developments import Coverage, SummarySentence
from bot.domain.entries import SourceState
from bot.domain.health import Health
from bot.domain.subscriptions import Subscription
from bot.domain.watch import Effect, WatchKeyword
from bot.ports import StatusReport
from handlers.forms import SubscriptionForm
from handlers.overview import Overview
from handlers.replies import Item, Reply
from handlers.slack import elements as e
from handlers.slack.digests import digest_message
from handlers.slack.home import home_view
from handlers.slack.inputs import problem
from handlers.slack.modals import keyword_modal, subscription_modal, told
from handlers.slack.render import alert_message, reply_message
from tests.slack.blockkit import message_problems, view_problems
from tests.slack.kit import NOON, Atlas, alert

TRICKS = [
    "<!channel>",
    "<!here|here>", "<!everyone>",
    "<@U123>", "<#C123|general>", "<!subteam^S1>", "<!date^1^{date}|x>", "@everyone", "@channel",
    "<https://evil.example|https://bank.example>", "[bank](https://evil.example)", "*bold*", "_it_", "~gone~", "`code`", "```", "> quote",
    "&lt;!channel&gt;", "\u202e", "\u2066", "\u200b", "\ufeff", "\u3164", "\n", "\u2028", "\x00",
    "\ud800", "&", "|", ":tada:", "é" * 90, "x" * 700,
]  # fmt: skip
URLS = [
    "javascript:alert(1)",
    "https://a.example/|x>",
    "https://a.example/<!channel>",
    "http://[",
    "https://u:p@bank.example/",
    "data:text/html,x",
]
words = st.lists(st.sampled_from(TRICKS) | st.text(max_size=20), max_size=12).map("".join)
urls = st.sampled_from(URLS) | words | words.map("https://a.example/{}".format) | words.map("https://{}".format)
people = st.builds(Person, name=words, office=st.none() | words, country=st.none() | words)
coverage = st.builds(Coverage, outlet=words, url=urls, title=words, published=st.just(NOON))
sentences = st.builds(SummarySentence, text=words, url=urls)
alerts = st.builds(
    alert,
    follow_up=st.none() | words,
    headline=words,
    url=urls,
    place=st.none() | words,
    parties=st.lists(words, max_size=10).map(tuple),
    people=st.lists(people, max_size=8).map(tuple),
    summary=st.lists(sentences, max_size=6).map(tuple),
    coverage=st.lists(coverage, max_size=12).map(tuple),
)
items = st.builds(
    Item, title=words, url=st.none() | urls, when=st.none() | st.just(NOON), chips=st.lists(words, max_size=6).map(tuple), body=words
)
replies = st.builds(
    Reply,
    title=words,
    items=st.lists(items, max_size=25).map(tuple),
    facts=st.lists(st.tuples(words, words), max_size=25).map(tuple),
    note=words,
    error=st.booleans(),
)
keywords = st.builds(
    WatchKeyword,
    term=words,
    added_by=words | words.map("slack:{}".format) | st.just("slack:U1"),
    added_at=st.just(NOON),
    effect=st.sampled_from(Effect),
    channel=words | words.map("slack:{}".format) | st.just("slack:C1"),
)
subscriptions = st.builds(
    Subscription, destination=st.builds(Destination, surface=st.just(Surface.SLACK), address=words | st.sampled_from(["C1", "D1"]))
)
states = st.builds(SourceState, name=words, problem=st.none() | words, health=st.sampled_from(Health))
overviews = st.builds(
    Overview,
    subscriptions=st.lists(st.tuples(subscriptions, st.lists(st.tuples(words, words), max_size=4)), max_size=4).map(tuple),
    keywords=st.lists(keywords, max_size=4).map(tuple),
    status=st.builds(
        StatusReport,
        **dict.fromkeys(("entries", "developments", "alerts", "pending", "failed"), st.integers(0, 9)),
        sources=st.lists(states, max_size=4).map(tuple),
    ),
)
forms = st.builds(SubscriptionForm, topics=st.just(("trade",)), parties=words, only=words, quiet=words, zone=words)
OWN_DATE = re.compile(r"<!date\^\d+\^\{date_short_pretty\} at \{time\}\|\d\d \w{3} \d{4}, \d\d:\d\d UTC>")
FORBIDDEN = re.compile(r"<[!@#]|<\w|@(?:everyone|channel|here)\b", re.IGNORECASE)
OWN_CHARACTERS = "\n"


def nodes(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def check(message: dict[str, Any]) -> None:
    """Assert all that Slack's documents and ours say of a message."""
    assert message_problems(message) == []
    assert 0 < len(message["text"]) <= e.MAX_TEXT
    assert not re.search(r"[<>*_~`]|&(?!amp;)", message["text"])
    assert 0 < len(message["blocks"]) <= e.MAX_BLOCKS
    assert e.size(message["blocks"]) <= e.MAX_SIZE
    json.dumps(message, ensure_ascii=False).encode()  # no half characters
    for node in nodes(message["blocks"]):
        check_node(node)


def check_node(node: dict[str, Any]) -> None:
    kind = node.get("type")
    assert kind in (
        "header", "context", "plain_text", "mrkdwn",
        "rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "text", "link", "date", "actions", "button", None,
        "channel", "user",
    )  # fmt: skip
    if isinstance(node.get("text"), str):
        check_words(OWN_DATE.sub("", node["text"]) if kind == "mrkdwn" else node["text"], mrkdwn=kind == "mrkdwn")
    if kind == "link":
        assert re.fullmatch(r"https?://[\w.-]+(?::\d+)?(?:[/?#][^\s|<>\"`{}\\^]*)?", node["url"], re.ASCII)
        assert len(node["url"]) <= e.MAX_URL
    if kind == "header":
        assert 0 < len(node["text"]["text"]) <= e.MAX_HEADER
        assert node["text"]["type"] == "plain_text"
    if kind == "button":
        assert len(node["text"]["text"]) <= 75
        assert len(node["action_id"]) <= 255
        assert len(node["value"]) <= 2_000
    assert node.get("elements") != []


def check_words(text: str, *, mrkdwn: bool) -> None:
    assert 0 < len(text) <= e.MAX_TEXT_OBJECT
    assert not FORBIDDEN.search(text)
    assert not (mrkdwn and re.search(r"[<>*_~`]", text))
    unseen = [c for c in text if c not in OWN_CHARACTERS and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert not unseen


@settings(max_examples=120, deadline=None)
@given(alerts)
def test_no_alert_is_broken_by_its_text(hostile: Alert) -> None:
    check(alert_message(hostile, Atlas()))


@settings(max_examples=60, deadline=None)
@given(st.lists(alerts, min_size=1, max_size=8))
def test_no_digest_is_broken_by_its_text(hostile: list[Alert]) -> None:
    check(digest_message(hostile, Atlas()))


@settings(max_examples=60, deadline=None)
@given(alerts)
def test_nobody_is_mentioned_in_an_alert(hostile: Alert) -> None:
    assert not [
        node for node in nodes(alert_message(hostile, Atlas())) if node.get("type") in ("user", "usergroup", "broadcast", "channel")
    ]


@settings(max_examples=120, deadline=None)
@given(overviews, st.booleans())
def test_no_home_is_broken_by_its_text(hostile: Overview, admin: bool) -> None:
    view = home_view(hostile, admin=admin, admin_of_all=admin)
    assert view_problems(view) == []
    for node in nodes(view["blocks"]):
        if not str(node.get("type")).endswith(("confirm", "button")):
            check_node(node)
        if node.get("type") in ("channel", "user"):
            assert re.fullmatch(r"[CGUW][A-Z0-9]+", node.get("channel_id") or node["user_id"])


@settings(max_examples=60, deadline=None)
@given(forms, words, keywords, replies)
def test_no_dialog_is_broken_by_its_text(form: SubscriptionForm, place: str, keyword: WatchKeyword, reply: Reply) -> None:
    keyword = replace(keyword, term=keyword.term[:400])
    for view in (subscription_modal(form, place[:80]), keyword_modal(keyword), told(reply)):
        assert view_problems(view) == []
        for node in nodes([b for b in view["blocks"] if b["type"] != "input"]):
            check_node(node)
    check_words(problem(place), mrkdwn=False)


@settings(max_examples=120, deadline=None)
@given(replies)
def test_no_reply_is_broken_by_its_text(hostile: Reply) -> None:
    check(reply_message(hostile))


@given(words, st.integers(10, 400))
def test_escaped_words_keep_their_limit(text: str, limit: int) -> None:
    assert len(e.harmless(text, limit)) <= limit
    assert len(e.mrkdwn(text, limit)) <= limit


@given(words)
def test_harmless_words_stay_as_they_are(text: str) -> None:
    once = e.harmless(text, 200)
    assert e.harmless(once, 200) == once


@given(urls)
def test_a_link_is_http_and_whole(url: str) -> None:
    found = e.safe_url(url)
    assert found is None or (urlsplit(found).scheme in ("http", "https") and e.safe_url(found) == found)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/x y|z>?q=<b>&c=%20#f", "https://a.example/x%20y%7Cz%3E?q=%3Cb%3E&c=%20#f"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("http://a.example:8080/", "http://a.example:8080/"),
        ("javascript:alert(1)", None),
        ("https://bank.example@evil.example/", None),
        ("//a.example/", None),
        ("", None),
        (None, None),
        ("https://a.example:port/", None),
        ("https://a.example/" + "x" * 3_000, None),
    ],
)
def test_addresses(url: str | None, safe: str | None) -> None:
    assert e.safe_url(url) == safe
