"""Listing pages."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.items import Listing
from bot.sources.pages import read_page
from tests.sources.kit import NOON, document, some

PAGE = """<!doctype html><html><head><title>Ministry</title><script>"<article>"</script></head><body>
<article><h3><a href="/pr/2">Minister receives <b>envoy</b></a></h3><span class="date">2 March 2026</span><p>They spoke of timber.</p></article>
<article><h3>Pact signed</h3><a class="more" href="pr/1#top">more</a><time datetime="2026-03-01T10:00:00Z">yesterday</time></article>
<article><h3>No link here</h3></article>
<article><a href="/pr/2"><img src="x.png"></a></article>
<article><a href="javascript:void(0)">Nothing</a></article>
</body></html>"""


def read(page: str = PAGE, **selectors: str) -> Listing:
    return read_page(document(page, "https://ministry.example/news/"), selectors, NOON, 100)


def refused(page: str = PAGE, **selectors: str) -> str:
    with pytest.raises(SourceError) as caught:
        read(page, **selectors)
    return str(caught.value)


def test_a_page_is_read_with_nothing_but_the_item() -> None:
    older, newer = read(item="article").entries
    assert (older.title, older.url, older.published) == (
        "Pact signed",
        "https://ministry.example/news/pr/1#top",
        datetime(2026, 3, 1, 10, tzinfo=UTC),
    )
    assert (newer.title, newer.url, newer.summary) == ("Minister receives envoy", "https://ministry.example/pr/2", "They spoke of timber.")
    assert newer.published == datetime(2026, 3, 2, tzinfo=UTC)


def test_selectors_are_obeyed() -> None:
    page = "<ul><li><i>1 March 2026</i><em>Pact</em><a href=/x>old</a><a class=l href=/y>go</a><u>Both agreed.</u></li></ul>"
    (entry,) = read(page, item="li", title="em", link="a.l", date="i", summary="u").entries
    assert (entry.title, entry.url, entry.summary) == ("Pact", "https://ministry.example/y", "Both agreed.")
    assert entry.published == datetime(2026, 3, 1, tzinfo=UTC)


def test_an_item_may_be_the_link_itself() -> None:
    entries = read("<a class=n href=/1>Pact signed</a><a class=n href=/2 title='Envoy named'><img></a>", item="a.n").entries
    assert [(e.title, e.url) for e in entries] == [
        ("Pact signed", "https://ministry.example/1"),
        ("Envoy named", "https://ministry.example/2"),
    ]


def test_the_pages_base_counts() -> None:
    page = "<base href='https://archive.example/x/'><article><a href=1>Pact signed</a></article>"
    assert read(page, item="article").entries[0].url == "https://archive.example/x/1"


@pytest.mark.parametrize("selector", ["li[", "li,,", ">>", "::x", "a{b}"])
@pytest.mark.parametrize("key", ["item", "title"])
def test_a_selector_that_is_no_css_is_named(key: str, selector: str) -> None:
    assert refused(**{"item": "article", key: selector}).startswith("selector: ")


def test_selectors_that_find_nothing_are_named() -> None:
    assert refused(item="li.none") == "selector: nothing on the page matches item: 'li.none'"
    assert refused(item="article", link="b").startswith("selector: 5 items, but none with a title and a link")
    assert refused() == "selector: a page needs the selector `item`"
    assert refused(item=" ") == "selector: a page needs the selector `item`"
    assert refused(item="article", titel="h3").startswith("selector: titel: not one of date, item, link, summary, title")


def test_an_empty_page_is_said_to_be_empty() -> None:
    assert refused(" ", item="article") == "empty: the body is empty"


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 50_000 + "x",
        "<div><a href=x>y</a>" * 900 + "word " * 100_000,
        "<p " + " ".join(f"a{n}" for n in range(100_000)) + ">x",
        "<p>x" * 200_000,
        "<script>" * 100_000,
        "<table><a href=x>" * 20_000,
    ],
    ids=lambda page: page[:20],
)
def test_pages_made_to_be_slow_are_refused_quickly(page: str) -> None:
    began = time.perf_counter()
    assert refused(page, item="div, p, table").split(":")[0] in ("broken", "selector", "empty")
    assert time.perf_counter() - began < 1.5


@some
@given(st.text(max_size=200), st.text(max_size=12))
def test_no_page_and_no_selector_raise_anything_but_a_source_error(page: str, selector: str) -> None:
    try:
        read(f"<li>{page}", item="li", title=selector)
    except SourceError:
        return
