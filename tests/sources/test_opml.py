"""OPML: what feed readers export is read, nothing hostile is obeyed, and what is written is read again as it was."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from bot.domain.entries import Kind, Source
from bot.domain.errors import SourceError
from bot.domain.text import plain
from bot.sources.opml import MAX_BYTES, MAX_OUTLINES, NAMESPACE, read_opml, write_opml
from tests.sources.kit import some

NEWSBOAT = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0">
  <head><title>newsboat - Exported Feeds</title></head>
  <body>
    <outline type="rss" xmlUrl="https://paper.example/rss?a=1&amp;b=2" htmlUrl="https://paper.example" title="The Paper"/>
    <outline text="Official"><outline text="Europe">
      <outline text="The Commission" title="EC" xmlUrl="https://ec.example/rss" language="en-gb"/>
    </outline></outline>
    <outline text="Hobbies"><outline type="atom" text="Knitting" xmlurl="http://wool.example/atom"/></outline>
  </body>
</opml>"""


def opml(*outlines: str, head: str = '<?xml version="1.0"?>') -> bytes:
    return f"{head}<opml version='2.0'><head/><body>{''.join(outlines)}</body></opml>".encode()


def feed(url: str = "https://paper.example/f", text: str = "The Paper", more: str = "") -> str:
    return f'<outline type="rss" text="{text}" xmlUrl="{url}" {more}/>'


CATEGORIZED = feed(more='category="press"')


def names(text: bytes) -> list[str]:
    return [source.name for source in read_opml(text)]


def reason(text: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        read_opml(text)
    return caught.value.reason


def test_a_feed_readers_export_is_read() -> None:
    assert read_opml(NEWSBOAT) == [
        Source(name="The Paper", url="https://paper.example/rss?a=1&b=2"),
        Source(name="The Commission", url="https://ec.example/rss", language="en-gb", group="official"),
        Source(name="Knitting", url="http://wool.example/atom"),
    ]


@pytest.mark.parametrize(
    ("outline", "group"),
    [
        (feed(more='category="press"'), "press"),
        (feed(more='category="/News/Press,/Boston"'), "press"),
        (feed(more='category="weather"'), None),
        (f'<outline text="API">{feed()}</outline>', "api"),
        (f'<outline title=" press ">{feed()}</outline>', "press"),
        (f'<outline text="api"><outline text="Official">{feed()}</outline></outline>', "official"),
        (f'<outline text="api">{CATEGORIZED}</outline>', "press"),
        (f'<outline text="My press">{feed()}</outline>', None),
        (f'<outline text="press"/>{feed()}', None),
    ],
)
def test_the_group_is_the_category_or_the_nearest_folder(outline: str, group: str | None) -> None:
    assert [source.group for source in read_opml(opml(outline))] == [group]


def test_names_are_plain_and_each_is_one_of_a_kind() -> None:
    urls = iter(f"https://p{n}.example/f" for n in range(9))
    text = opml(
        *(feed(next(urls), "News") for _ in range(3)),
        feed(next(urls), "News (2)"),
        feed(next(urls), "&lt;b&gt;Trade&lt;/b&gt; &amp;amp; Talks\u202e"),
        feed(next(urls), ""),
        feed(next(urls), "x" * 500),
        feed(next(urls), "x" * 500),
    )
    found = names(text)
    assert found[:6] == ["News", "News (2)", "News (3)", "News (2) (2)", "Trade & Talks", "p5.example"]
    assert [len(name) for name in found[6:]] == [200, 200]
    assert len(set(found)) == 8


def test_an_address_that_stands_twice_is_taken_once() -> None:
    assert names(opml(feed(text="A"), feed(text="B"), feed("https://paper.example/g", "C"))) == ["A", "C"]


def test_wrong_addresses_are_skipped_and_reported() -> None:
    told: list[str] = []
    wrong = (
        "",
        "feed.xml",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://u:p@paper.example/",
        "http://169.254.169.254/",
        "http://[",
        "ftp://xn--0/",
        "x" * 3_000,
    )
    found = read_opml(opml(*(feed(url, f"N{n}") for n, url in enumerate(wrong)), feed("HTTPS://paper.example/f")), told.append)
    assert [source.url for source in found] == ["https://paper.example/f"]
    assert [line[:2] for line in told] == [f"N{n}" for n in range(len(wrong))]
    assert all("address:" in line and len(line) < 500 for line in told)


def test_folders_notes_and_links_are_no_feeds() -> None:
    told: list[str] = []
    assert read_opml(opml('<outline text="A note"/><outline type="link" text="x" url="https://x.example/"/>'), told.append) == []
    assert told == []


def test_what_sources_yaml_knows_besides_comes_along() -> None:
    ours = f'xmlns:a="{NAMESPACE}" a:interval="600" a:country="IND" language="unknown"'
    assert read_opml(opml(feed(more=ours))) == [Source(name="The Paper", url="https://paper.example/f", interval=600, country="IND")]
    for interval in ("0", "86401", "-5", "1e3", "9" * 40, "٣"):
        assert read_opml(opml(feed(more=f'xmlns:a="{NAMESPACE}" a:interval="{interval}"')))[0].interval is None


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://paper.example/f?a=1&b=2", "https://paper.example/f?a=1&b=2"),
        ("https://paper.example/f?a=1&copy=2&lt;", "https://paper.example/f?a=1&copy=2<"),
        ("https://paper.example/f?a=1&#38;b=&#x32;", "https://paper.example/f?a=1&b=2"),
        ("https://paper.example/f?&nbsp;&#0;&#xD800;&#99999999;", "https://paper.example/f?&nbsp;&#0;&#xD800;&#99999999;"),
    ],
)
def test_ampersands_are_mended_not_lost(url: str, read: str) -> None:
    assert read_opml(opml(feed(url)))[0].url == read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_are_read(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<opml version="1.1"><body>{feed(text="Café")}</body></opml>'
    assert names(text.encode(encoding)) == ["Café"]


def test_no_doctype_and_no_entity_reaches_the_parser(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    doctype = f'<!DOCTYPE opml [<!ENTITY lol "lol"><!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    assert names(opml(feed(text="A &x;&lol;"), head=doctype)) == ["A &x;&lol;"]
    assert names(opml(feed(), head='<!DOCTYPE opml SYSTEM "http://127.0.0.1:9/opml.dtd">')) == ["The Paper"]
    assert reason(opml(feed(), head="<!DOCTYPE opml [<!ENTITY a '<opml >'>]>")) == "broken"
    assert reason(opml(f"<!DOCTYPE x [<!ENTITY a 'b'>]>{feed()}")) == "broken"


def test_expansion_costs_nothing() -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(30))
    began = time.perf_counter()
    assert names(opml(feed(text="&l30;"), head=f'<!DOCTYPE opml [<!ENTITY l0 "lol">{laughs}]>')) == ["&l30;"]
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "not-a-feed"),
        (b"\x00\xff", "not-a-feed"),
        (b"<rss><channel/></rss>", "not-a-feed"),
        (b"<opml><body>", "broken"),
        (opml(feed())[:-20], "broken"),
        (opml('<outline text="a < b"/>'), "broken"),
        (opml("<outline>" * 400, "</outline>" * 400), "broken"),
        (b" " * (MAX_BYTES + 1), "too-big"),
        (opml("<outline/>" * (MAX_OUTLINES + 1)), "too-big"),
        (opml("<p/>" * (5 * MAX_OUTLINES)), "too-big"),
        (opml("<outline " + " ".join(f'a{n}=""' for n in range(5_000)) + "/>"), "too-big"),
    ],
)
def test_what_is_no_opml_or_too_much_is_refused(text: bytes, expected: str) -> None:
    assert reason(text) == expected


def test_an_error_names_the_line() -> None:
    with pytest.raises(SourceError, match="line 4"):
        read_opml(b"<?xml version='1.0'?>\n<!-- mine -->\n<opml>\n<body></opml>")


def test_a_list_as_long_as_it_may_be_is_read_in_time() -> None:
    began = time.perf_counter()
    found = read_opml(opml(*(feed(f"https://p{n}.example/f", "News") for n in range(MAX_OUTLINES))))
    assert (len(found), found[-1].name) == (MAX_OUTLINES, f"News ({MAX_OUTLINES})")
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        opml('<outline text="' + "x/" * 2_000_000 + '">' + feed() * 4_000 + "</outline>"),
        opml('<outline text="a">' * 200 + feed() * 4_000 + "</outline>" * 200),
        opml(feed(more='category="' + "press" + "/" * 4_000_000 + '"')),
        opml(feed("https://paper.example/" + "x" * 4_000_000)),
        b"<opml " * 800_000,
        b"<opml>" + b"&" * 30_000,
    ],
    ids=["long folder", "deep folders", "long category", "long address", "many roots", "ampersands"],
)
def test_nothing_costs_time_out_of_proportion(text: bytes) -> None:
    began = time.perf_counter()
    with suppress(SourceError):
        read_opml(text)
    assert time.perf_counter() - began < 10


words = st.text(max_size=60).map(plain).filter(lambda w: w and plain(w, 200) == w)
urls = st.builds(
    lambda host, path: f"https://{host}.example/{path}",
    st.text("abcdefghij-0123456789", min_size=1, max_size=12).map(lambda h: f"p{h}p"),
    st.text("abc/?&=;+%#'\"<>[]()~é日", max_size=20),
)
sources = st.builds(
    Source,
    name=words,
    url=urls,
    interval=st.none() | st.integers(1, 86_400),
    country=st.none() | st.sampled_from(["IND", "EU", "NO"]),
    language=st.none() | st.sampled_from(["en", "de-ch"]),
    group=st.none() | st.sampled_from(["official", "press", "api"]),
)
lists = st.lists(sources, max_size=8, unique_by=(lambda s: s.url, lambda s: s.name))


@some
@given(lists)
def test_what_is_written_is_read_again(listed: list[Source]) -> None:
    assert read_opml(write_opml(listed)) == listed


@some
@given(lists)
def test_what_is_written_is_opml_2(listed: list[Source]) -> None:
    root = etree.fromstring(write_opml(listed))
    assert (root.tag, root.get("version"), [child.tag for child in root]) == ("opml", "2.0", ["head", "body"])
    outlines = list(root.iter("outline"))
    assert all(outline.get("text") for outline in outlines)
    assert [o.get("xmlUrl") for o in outlines if o.get("type") == "rss"] == [s.url for s in listed]


def test_only_feeds_are_written_neighbours_of_a_group_in_one_folder() -> None:
    a = Source(name="A", url="https://a.example/", group="press")
    listed = [
        a,
        replace(a, name="B", url="https://b.example/"),
        replace(a, name="C", kind=Kind.PAGE),
        replace(a, name="D", kind=Kind.GDELT),
    ]
    body = etree.fromstring(write_opml(listed)).find("body")
    assert [(folder.get("text"), [o.get("text") for o in folder]) for folder in body] == [("press", ["A", "B"])]


def test_characters_that_xml_forbids_are_left_out() -> None:
    written = write_opml([Source(name="A\x00B\ud800\uffff", url="https://a.example/\x1b", group="x\x01")])
    assert [(s.name, s.url, s.group) for s in read_opml(written)] == [("AB", "https://a.example/", None)]


@some
@given(
    st.binary(max_size=1_000) | st.text(st.sampled_from("<>/=\"' &;![]-#xopmlutineUr"), max_size=1_000).map(lambda t: f"<opml {t}".encode())
)
def test_no_bytes_raise_anything_but_source_errors(text: bytes) -> None:
    with suppress(SourceError):
        assert isinstance(read_opml(text), list)
