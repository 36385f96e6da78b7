"""GDELT's answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.gdelt import read_gdelt
from bot.sources.items import Listing
from tests.sources.kit import NOON, document, some


def read(body: str) -> Listing:
    return read_gdelt(document(body, "https://api.example/doc"), NOON, 100)


def refused(body: str) -> str:
    with pytest.raises(SourceError) as caught:
        read(body)
    return str(caught.value)


def article(**changed: object) -> dict[str, object]:
    return {
        "url": "https://courier.example/a/1",
        "title": "Arlandia , Borduria sign pact",
        "seendate": "20260301T101500Z",
        "domain": "courier.example",
        "language": "English",
    } | changed


def test_articles_are_entries() -> None:
    (entry,) = read(json.dumps({"articles": [article()]})).entries
    assert (entry.title, entry.url, entry.publisher) == ("Arlandia, Borduria sign pact", "https://courier.example/a/1", "courier.example")
    assert entry.published == datetime(2026, 3, 1, 10, 15, tzinfo=UTC)


def test_the_outlet_behind_a_title_goes() -> None:
    assert (
        read(json.dumps({"articles": [article(title="Arlandia and Borduria sign - Borduria Times")]})).entries[0].title
        == "Arlandia and Borduria sign"
    )


def test_what_has_no_title_or_address_is_left_out_and_what_comes_twice_comes_once() -> None:
    rows = [article(), article(title=""), article(url=""), article(url="ftp://x"), article(), 7, None, article(title=None, url=3)]
    assert len(read(json.dumps({"articles": rows})).entries) == 1


@pytest.mark.parametrize("body", ["{}", '{"articles": []}'])
def test_no_articles_are_no_fault(body: str) -> None:
    assert read(body) == Listing(entries=())


def test_a_headline_with_a_stray_backslash_is_read() -> None:
    body = '{"articles": [{"url": "https://courier.example/1", "title": "Pact \\u0041 \\/ signed\\, says\t\\"envoy\\" C:\\\\x", "domain": "c.example"}]}'
    assert read(body).entries[0].title == 'Pact A / signed\\, says "envoy" C:\\x'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("The specified phrase is too short.\n", "api: GDELT says: The specified phrase is too short."),
        ("<html><h1>Limit requests to one every 5 seconds</h1></html>", "api: GDELT says: Limit requests to one every 5 seconds"),
        ('{"articles": [', "api: GDELT's answer is not JSON"),
        ('{"articles": {}}', "api: GDELT's answer has no list of articles"),
        ('{"a":' * 100_000, "api: GDELT's answer is not JSON"),
        (" ", "empty: the body is empty"),
    ],
)
def test_words_instead_of_articles_are_passed_on(body: str, said: str) -> None:
    assert refused(body).startswith(said)


@some
@given(st.text(max_size=80))
def test_no_answer_raises_anything_but_a_source_error(body: str) -> None:
    for text in (body, '{"articles": [' + body + "]}", json.dumps({"articles": [article(title=body, seendate=body)]})):
        try:
            read(text)
        except SourceError:
            continue
