"""What every kind of source shares: cleaning, addresses, order, limit."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.entries import ParsedEntry
from bot.sources.items import MAX_GUID, MAX_TITLE, Item, absolute, clean, entry_of, listed, once
from tests.sources.kit import AT, NOON, some


def made(**parts: str) -> ParsedEntry:
    entry = entry_of(Item(**parts), AT)  # type: ignore[arg-type]  # fields by name
    assert entry is not None
    return entry


def test_markup_and_the_feeds_own_last_words_go() -> None:
    entry = made(title="<b>Pact</b> on timber &amp; wool", summary="<p>They <i>signed</i> it.</p> Continue reading…<script>x()</script>")
    assert (entry.title, entry.summary) == ("Pact on timber & wool", "They signed it.")


def test_the_publisher_behind_the_title_is_cut_off() -> None:
    entry = made(title="Arlandia and Borduria sign a pact - The Borduria Times")
    assert (entry.title, entry.publisher) == ("Arlandia and Borduria sign a pact", "The Borduria Times")


def test_a_named_publisher_is_cut_off_whatever_it_is_called() -> None:
    entry = made(title="Arlandia and Borduria sign a pact - Zorblax", publisher="Zorblax")
    assert (entry.title, entry.publisher) == ("Arlandia and Borduria sign a pact", "Zorblax")


def test_without_a_title_the_first_sentence_serves() -> None:
    assert made(summary="<p>They met. Then they ate.</p>").title == "They met."
    assert len(made(summary="word " * 400).title) <= MAX_TITLE


def test_without_any_words_there_is_no_entry() -> None:
    assert entry_of(Item(title="<br/>", url="/a", summary="&nbsp;"), AT) is None


def test_a_summary_that_repeats_the_title_is_none() -> None:
    assert made(title="Arlandia and Borduria sign", summary="<a>Arlandia and Borduria sign</a>").summary == ""
    aggregated = made(
        title="Arlandia and Borduria sign - Zorblax", publisher="Zorblax", summary="<a>Arlandia and Borduria sign</a> <font>Zorblax</font>"
    )
    assert aggregated.summary == ""


def test_a_guid_is_kept_printable_and_short() -> None:
    assert made(title="Ministers meet", guid=" tag:paper.example,2026:1\x00 ").guid == "tag:paper.example,2026:1"
    long, longer = (made(title="Ministers meet", guid="g" * n).guid for n in (MAX_GUID + 1, MAX_GUID + 2))
    assert len(long) <= MAX_GUID
    assert long != longer


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("/a/1", "https://paper.example/a/1"),
        ("a/1?x=1&y=2", "https://paper.example/news/a/1?x=1&y=2"),
        ("//other.example/b", "https://other.example/b"),
        (" https://other.example/\nb c ", "https://other.example/b%20c"),
        ("https://паспорт.example/é", "https://паспорт.example/é"),
        ("", ""),
        ("#top", ""),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("mailto:desk@paper.example", ""),
        ("file:///etc/passwd", ""),
        ("http://[::1", ""),
        ("http://paper.example:99999/", ""),
        ("http://", ""),
        ("http://bank.example@evil.example/", ""),
        ("/a\u202eb", ""),
        ("/" + "a" * 3_000, ""),
    ],
)
def test_links_become_addresses_or_nothing(link: str, address: str) -> None:
    assert absolute(link, AT) == address


@some
@given(st.text(max_size=100), st.text(max_size=40))
def test_no_link_makes_it_fail(link: str, base: str) -> None:
    address = absolute(link, base)
    assert address == "" or (address.startswith(("http://", "https://")) and address.isprintable())


@some
@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=50), st.text(max_size=50))
def test_every_entry_is_plain(title: str, summary: str, guid: str, publisher: str) -> None:
    entry = entry_of(Item(title=title, summary=summary, guid=guid, publisher=publisher), AT)
    if entry is not None:
        assert entry.title
        for text in (entry.title, entry.summary, entry.guid, entry.publisher or ""):
            assert text.isprintable() or all(c.isprintable() or c == "\u00a0" or c.isspace() for c in text)
            assert "\n" not in text
            text.encode("utf-8")


@pytest.mark.parametrize("mark", ["<!--", "<script>", "<style ", "&lt;!--", "<p ", "<", "&"])
def test_texts_made_to_be_slow_are_not(mark: str) -> None:
    began = time.perf_counter()
    clean(mark * 100_000)
    assert time.perf_counter() - began < 0.5


MOMENTS = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))


@some
@given(st.lists(MOMENTS, max_size=30), st.integers(1, 10))
def test_the_newest_are_kept_and_come_oldest_first(moments: list[datetime | None], limit: int) -> None:
    entries = [ParsedEntry(title=str(n), published=moment) for n, moment in enumerate(moments)]
    kept = listed(entries, limit)
    dated = [e.published for e in kept if e.published]
    undated = [e for e in kept if not e.published]
    assert len(kept) == min(limit, len(entries))
    assert dated == sorted(dated)
    assert list(kept[len(dated) :]) == undated == [e for e in entries if not e.published][: len(undated)]
    if dated:
        assert min(dated) >= max((m for m in moments if m and m not in dated), default=dated[0])


def test_an_address_comes_once() -> None:
    first, second, other = (ParsedEntry(title=t, url=u, published=NOON - timedelta(1)) for t, u in (("a", "x"), ("b", "x"), ("c", "y")))
    assert once([first, None, second, other]) == [first, other]
