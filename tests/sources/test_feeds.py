"""Feeds of every kind and in every state."""

from __future__ import annotations

import json
import time
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.feeds import read_feed
from bot.sources.items import Listing
from tests.sources.kit import AT, NOON, document, item, many, rss, some

TEN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://paper.example/sub/"><title>The Arland Courier</title>
<entry><id>tag:1</id><title type="html">Pact &lt;i&gt;signed&lt;/i&gt;</title><link href="one.html"/><updated>2026-03-02T10:00:00Z</updated>
<summary>Both sides agreed.</summary></entry>
<entry><id>tag:2</id><title>Talks begin</title><link rel="alternate" href="/two"/><published>2026-03-01T10:00:00Z</published>
<updated>2026-03-02T11:00:00Z</updated><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Delegates <b>arrived</b>.</p></div></content></entry>
</feed>"""
RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://paper.example/"><title>The Arland Courier</title><items/></channel>
<item rdf:about="https://paper.example/r1"><title>Envoy named</title><link>https://paper.example/r1</link><dc:date>2026-03-02T10:00:00+00:00</dc:date></item>
</rdf:RDF>"""
OLD = '<rss version="0.91"><channel><title>Courier</title><item><title>Envoy named</title><link>/r1</link></item></channel></rss>'


def read(body: bytes | str, limit: int = 2_000, content_type: str = "") -> Listing:
    return read_feed(document(body, content_type=content_type), NOON, limit)


def refused(body: bytes | str) -> str:
    with pytest.raises(SourceError) as caught:
        read(body)
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_rss_gives_plain_entries() -> None:
    listing = read(
        rss(
            item(description="&lt;p&gt;Both sides &lt;b&gt;agreed&lt;/b&gt;.&lt;/p&gt;", guid="g1", pubDate="Mon, 02 Mar 2026 10:00:00 GMT")
        )
    )
    (entry,) = listing.entries
    assert (entry.title, entry.summary, entry.guid, entry.published) == ("Ministers meet in Port Arland", "Both sides agreed.", "g1", TEN)
    assert (entry.url, entry.publisher, listing.problem, listing.whole) == ("https://paper.example/a/1", None, None, True)


def test_atom_falls_back_on_updated_and_resolves_against_its_base() -> None:
    older, newer = read(ATOM).entries
    assert (older.title, older.url, older.summary) == ("Talks begin", "https://paper.example/two", "Delegates arrived.")
    assert older.published == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (newer.title, newer.url, newer.published) == ("Pact signed", "https://paper.example/sub/one.html", TEN)


@pytest.mark.parametrize("body", [RDF, OLD])
def test_the_old_dialects_are_read(body: str) -> None:
    (entry,) = read(body).entries
    assert (entry.title, entry.url) == ("Envoy named", "https://paper.example/r1")


def test_an_aggregators_source_element_is_the_publisher() -> None:
    (entry,) = read(rss(item("Ministers meet in Port Arland - Zorblax", source="Zorblax"))).entries
    assert (entry.title, entry.publisher) == ("Ministers meet in Port Arland", "Zorblax")


def test_a_feeds_own_name_is_cut_off_its_titles() -> None:
    (entry,) = read(rss(item("Ministers meet in Port Arland | Zorblax"), head="<title>Zorblax</title>")).entries
    assert entry.title == "Ministers meet in Port Arland"


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 01 Jan 2090 00:00:00 GMT", "soon"])
def test_an_impossible_date_is_none(date: str) -> None:
    assert read(rss(item(pubDate=date))).entries[0].published is None


def test_the_order_is_oldest_first_and_the_newest_are_kept() -> None:
    items = [item(f"Talks, day {day}", link=f"/{day}", pubDate=f"{day:02} Feb 2026 10:00:00 GMT") for day in (3, 9, 1, 7)]
    assert [e.title for e in read(rss(*items), limit=3).entries] == ["Talks, day 3", "Talks, day 7", "Talks, day 9"]


def test_an_item_without_words_is_called_by_its_address() -> None:
    named, told = read(rss("<item><link>https://a.example/1</link></item>", item("", description="Envoys met. They ate."))).entries
    assert (named.title, told.title) == ("https://a.example/1", "Envoys met.")


def test_an_item_without_anything_is_kept_and_said_to_be_untitled() -> None:
    bare, whole = "<item><author>Ann</author></item>", item("Pact signed")
    assert read(rss(bare)).problem == "none of its items has a title or a summary"
    listing = read(rss(bare, whole, "<item/>"))
    assert (sorted(e.title for e in listing.entries), listing.problem) == (["Pact signed", "Untitled", "Untitled"], None)
    assert [e.title for e in read(json_feed({"title": ""}, {"url": "/j/1"})).entries] == ["Untitled", "https://paper.example/j/1"]
    assert read(json_feed("odd", None)).problem == "nothing in its list is an item"


def test_a_feed_that_lists_nothing_is_no_fault() -> None:
    assert read(rss()) == Listing(entries=())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("<!DOCTYPE html><html><head><title>Courier</title></head><body>news</body></html>", "html"),
        ("<!-- page --><HTML lang=en><body><p>news", "html"),
        ("<div>oops</div>", "html"),
        ("Gateway trouble, come back later", "not-a-feed"),
        ("<urlset><url/></urlset>", "not-a-feed"),
        ('{"error": "quota"}', "not-a-feed"),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [', "broken"),
        ("[" * 100_000, "not-a-feed"),
        ('{"a":' * 100_000, "broken"),
        ("<rss version='2.0'><channel><title>Cour", "broken"),
        (b"\x00\x01\x02\xff\xfe", "not-a-feed"),
    ],
)
def test_what_is_no_feed_is_said_to_be_none(body: bytes | str, reason: str) -> None:
    assert refused(body) == reason


def test_what_is_whole_of_a_cut_off_feed_is_kept() -> None:
    text = rss(*many(10))
    listing = read(text[: text.index("round 7") + 3])
    assert [e.guid for e in listing.entries] == [f"g{n}" for n in range(7)]
    assert (listing.problem, listing.whole) == ("the feed breaks off before its end", False)


def test_a_feed_cut_off_between_items_loses_none() -> None:
    assert len(read(rss(*many(3)).removesuffix("</channel></rss>")).entries) == 3


@some
@given(st.integers(0, 2_000))
def test_wherever_a_feed_is_cut_off_its_titles_are_whole(at: int) -> None:
    text = rss(*many(10))
    try:
        listing = read(text[:at])
    except SourceError:
        return
    assert {e.title for e in listing.entries} <= {f"Talks on timber, round {n}" for n in range(10)}


def test_a_bare_ampersand_costs_nothing_but_a_remark() -> None:
    listing = read(rss(item("Timber & wool: talks go on"), item("Envoy named", link="/2")))
    assert [e.title for e in listing.entries] == ["Timber & wool: talks go on", "Envoy named"]
    assert listing.problem
    assert "not well-formed" in listing.problem
    assert listing.whole


@pytest.mark.parametrize("reference", ["&#0;", "&#xFFFF;", "&#99999999999;", "&#xD800;", "&#11;", "\x0b", "\x00"])
def test_a_forbidden_character_does_not_cost_the_feed(reference: str) -> None:
    listing = read(rss(item(f"Envoy{reference} named")))
    assert (listing.entries[0].title, listing.problem) == ("Envoy named", None)


def test_warnings_before_the_feed_are_passed_over() -> None:
    assert len(read("\n<br />\n<b>Warning</b>: something in line 3<br />" + rss(item())).entries) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings_are_read(encoding: str) -> None:
    text = rss(item("Accord signé à Médine")).replace("utf-8", encoding)
    assert read(text.encode(encoding)).entries[0].title == "Accord signé à Médine"


def test_mis_encoded_bytes_do_not_hurt() -> None:
    body = rss(item("Accord signe"), item("Réunion à Médine", link="/2")).encode().replace(b"signe", b"sign\xe9")
    assert [e.title for e in read(body).entries] == ["Accord sign\ufffd", "Réunion à Médine"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "prolog",
    [
        f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>',
        f'<!doctype rss [<!ENTITY l11 "{"ha" * 200_000}">]>',
        '<!DOCTYPE rss [<!ENTITY l11 SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]>',
    ],
)
def test_entities_are_never_declared(prolog: str) -> None:
    body = rss(*(item(f"Pact signed {'&l11;' * 50}", link=f"/{n}") for n in range(20))).replace("?>", "?>" + prolog, 1)
    began = time.perf_counter()
    tracemalloc.start()
    try:
        entries = read(body).entries
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert all(e.title.startswith("Pact signed &l11;") for e in entries)
    assert time.perf_counter() - began < 2
    assert peak < 20_000_000


@pytest.mark.parametrize(
    "body",
    [
        "<rss><channel>" + "<item>" * 300_000,
        "<rss><channel><item " + " ".join(f"a{n}='b'" for n in range(50_000)) + "/></channel></rss>",
        "<rss><channel><item " + " ".join(f"a{n}='>'" for n in range(50_000)) + "/></channel></rss>",
        rss(*(f"<z{n}:x xmlns:z{n}='u{n}'/>" for n in range(20_000))),
        "<rss><channel><item><title>" + "&" * 1_000_000,
        "<?" * 300_000,
        "<!--" * 300_000,
        "<!DOCTYPE" * 100_000,
        "<![" * 300_000,
    ],
    ids=lambda body: body[:40],
)
def test_feeds_made_to_be_slow_are_refused_quickly(body: str) -> None:
    began = time.perf_counter()
    assert refused(body) in ("broken", "not-a-feed")
    assert time.perf_counter() - began < 1.5


def test_html_in_a_feed_cannot_break_out() -> None:
    (entry,) = read(rss(item("<![CDATA[<img src=x onerror=alert(1)>Pact signed]]>", link="javascript:alert(1)"))).entries
    assert (entry.title, entry.url) == ("Pact signed", "")


@some
@given(
    st.binary(max_size=300), st.sampled_from(["", "<rss><channel><item><title>", "<feed xmlns='http://www.w3.org/2005/Atom'><entry>", "{"])
)
def test_no_bytes_raise_anything_but_a_source_error(body: bytes, head: str) -> None:
    try:
        listing = read(head.encode() + body)
    except SourceError:
        return
    assert all(e.title for e in listing.entries)


# JSON Feed


def json_feed(*items: object, version: str = "https://jsonfeed.org/version/1.1") -> str:
    return json.dumps({"version": version, "title": "The Arland Courier", "items": items})


def test_json_feed_is_read() -> None:
    newer = {
        "id": "j2",
        "url": "/j/2",
        "title": "Pact signed",
        "content_html": "<p>Both sides agreed.</p>",
        "date_published": "2026-03-02T10:00:00Z",
    }
    older = {
        "id": 7,
        "external_url": "https://other.example/1",
        "content_text": "Envoys met. They ate.",
        "date_modified": "2026-03-01T10:00:00+01:00",
    }
    first, second = read(json_feed(newer, older, "odd", None)).entries
    assert (first.title, first.guid, first.url, first.published) == (
        "Envoys met.",
        "7",
        "https://other.example/1",
        datetime(2026, 3, 1, 9, tzinfo=UTC),
    )
    assert (second.title, second.url, second.summary) == ("Pact signed", "https://paper.example/j/2", "Both sides agreed.")
    assert second.guid == "j2"


def test_json_with_odd_values_is_survived() -> None:
    odd = {"id": [], "url": {}, "title": 3, "summary": "\ud800Envoys met.", "date_published": 20260301}
    (entry,) = read(json_feed(odd)).entries
    assert (entry.title, entry.url, entry.guid, entry.published) == ("Envoys met.", "", "", None)


@some
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["id", "title", "url", "summary", "date_published"]), v),
        max_leaves=8,
    )
)
def test_no_json_raises_anything_but_a_source_error(value: object) -> None:
    read(json_feed(value, {"title": value, "id": value, "url": value}))


def test_base_address_is_the_documents() -> None:
    assert read(rss(item(link="../up"))).entries[0].url == "https://paper.example/up"
    assert AT.startswith("https://paper.example/")
