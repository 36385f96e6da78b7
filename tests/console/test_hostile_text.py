"""Nothing from outside gives a terminal orders, formats, or links to where it was not meant, whatever it is made of."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import RenderableType
from rich.text import Text

from bot.domain.alerts import Alert
from bot.domain.assessment import Person
from bot.domain.developments import Coverage, SummarySentence
from handlers.console.render import alert_card, reply_view
from handlers.console.words import MAX_URL, address, linked, shown
from handlers.replies import Item, Reply
from tests.console.kit import NOON, Atlas, alert, printed

TRICKS = [
    "[bold red]x[/]", "[/]", "[link=https://evil.example]now[/link]", "[[", "\\[", ":smile:", "[on red]", "{task.total}",
    "\x1b[2J", "\x1b]8;;https://evil.example\x1b\\", "\x1b]0;title\x07", "\x1b", "\x9b31m", "\x07", "\x08", "\r", "\x00", "\x7f",
    "\n", "\t", "\u2028", "\u202e", "\u2066", "\u200b", "\ufeff", "\ud800", "\U000e0041", "é" * 90, "漢" * 60, "🇮🇳", "x" * 700,
]  # fmt: skip
words = st.lists(st.sampled_from(TRICKS) | st.text(max_size=12), max_size=8).map("".join)
urls = (
    st.sampled_from(["javascript:alert(1)", "http://[", "https://u:p@bank.example/", "https://a.example:x/", "file:///etc/passwd", ""])
    | words
    | words.map("https://a.example/{}".format)
    | words.map("https://{}".format)
)
alerts = st.builds(
    alert,
    follow_up=st.none() | words,
    headline=words,
    url=urls,
    place=st.none() | words,
    parties=st.lists(words, max_size=10).map(tuple),
    people=st.lists(st.builds(Person, name=words, office=st.none() | words), max_size=8).map(tuple),
    summary=st.lists(st.builds(SummarySentence, text=words, url=urls), max_size=4).map(tuple),
    coverage=st.lists(st.builds(Coverage, outlet=words, url=urls, title=words, published=st.just(NOON)), max_size=8).map(tuple),
)
items = st.builds(
    Item, title=words, url=st.none() | urls, when=st.none() | st.just(NOON), chips=st.lists(words, max_size=4).map(tuple), body=words
)
replies = st.builds(
    Reply,
    title=words,
    items=st.lists(items, max_size=6).map(tuple),
    facts=st.lists(st.tuples(words, words), max_size=6).map(tuple),
    note=words,
    error=st.booleans(),
)
LINK = re.compile(r"\x1b\]8;(?:id=\d+)?;([^\x1b\x07]*)\x1b\\")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def check(view: RenderableType) -> None:
    """A terminal gets colours and links that are ours and printable words, and nothing else."""
    seen = printed(view, terminal=True)
    assert all(not url or re.match(r"https?://[!-~]+\Z", url) for url in LINK.findall(seen))
    rest = COLOUR.sub("", LINK.sub("", seen)).replace("\n", "")
    assert {unicodedata.category(c) for c in rest}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn"})


@settings(max_examples=60, deadline=None)
@given(alerts)
def test_a_card_gives_no_orders(one: Alert) -> None:
    check(alert_card(one, Atlas()))


@settings(max_examples=60, deadline=None)
@given(replies)
def test_a_reply_gives_no_orders(reply: Reply) -> None:
    check(reply_view(reply))


@given(words, st.integers(1, 400))
def test_words_are_one_line_within_their_limit(text: str, limit: int) -> None:
    one = shown(text, limit)
    assert len(one) <= limit
    assert one == " ".join(one.split())


@given(st.sampled_from(["[bold]", "[/]", "[link=https://evil.example]", "[[x]]", "\\[x]"]))
def test_markup_is_shown_as_it_is_written(mark: str) -> None:
    assert linked(f"a {mark} b", "https://a.example/", 200).plain == f"a {mark} b"


@given(urls)
def test_an_address_is_printable_http_without_user_info_or_none(url: str) -> None:
    found = address(url)
    if found is not None:
        assert re.fullmatch(r"https?://[!-~]+", found)
        assert len(found) <= MAX_URL
        assert "@" not in found.split("/")[2]


def test_a_link_leads_where_its_address_says() -> None:
    text = linked("Pact", "https://a.example/pact?id=7", 80)
    assert isinstance(text, Text)
    assert "https://a.example/pact?id=7" in printed(text, terminal=True)
    assert "\x1b]8" not in printed(linked("Pact", "javascript:alert(1)", 80), terminal=True)
