"""Addresses, identities, instants, keywords, decisions, ids and keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts import Alert, Delivery, Destination, Surface
from bot.domain.assessment import Assessment, Facts, Person
from bot.domain.decisions import STALE, Flagging, Reason, alert_reason, flag
from bot.domain.developments import Coverage, Development, SummarySentence, development_id, dossier_id
from bot.domain.entries import Entry, ParsedEntry, canonical, digest, identities, same_words
from bot.domain.errors import FinalDeliveryError, SettingsError, SourceError, TemporaryDeliveryError
from bot.domain.moments import plausible, utc
from bot.domain.topics import Stage, Status, Topic
from bot.domain.watch import Passage
from tests.fakes.clock import START

DEAL, MEETING = Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/news/rice-pact",
        "http://example.com/news/rice-pact/",
        "https://www.example.com/news/rice-pact",
        "https://www2.example.com/news/rice-pact",
        "https://m.example.com/news/rice-pact",
        "https://mobile.www.example.com/news/rice-pact",
        "https://amp.example.com/news/rice-pact",
        "https://EXAMPLE.com:443/news/rice-pact#comments",
        "http://example.com:80/news/rice-pact",
        "https://example.com/news/rice-pact/amp",
        "https://example.com/news/rice-pact/amp/",
        "https://example.com/news/rice-pact/amp.html",
        "https://example.com/amp/news/rice-pact",
        "https://example.com/news/rice-pact?utm_source=rss&utm_medium=feed&fbclid=1&at_campaign=2&ns_x=3&ocid=4&utm_term=",
        " https://example.com/news/rice-pact ",
        "https://www.google.com/url?rct=j&url=https%3A%2F%2Fexample.com%2Fnews%2Frice-pact%3Futm_source%3Dx&ct=ga",
        "https://www.google.com/url?url=https%253A%252F%252Fexample.com%252Fnews%252Frice-pact",
        "https://www.bing.com/news/apiclick.aspx?url=https%3a%2f%2fwww.example.com%2fnews%2frice-pact&c=1",
        "https://google.com/url?url=https://google.com/url?url=https://example.com/news/rice-pact",
    ],
)
def test_links_to_one_article_are_equal(url: str) -> None:
    assert canonical(url) == "example.com/news/rice-pact"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a", "https://example.com/b"),
        ("https://example.com/story?id=1", "https://example.com/story?id=2"),
        ("https://example.com/story.asp?12345", "https://example.com/story.asp?67890"),
        ("https://example.com/a", "https://example.com:8443/a"),
        ("https://example.com/camp", "https://example.com/c"),
        ("https://news.example.com/a", "https://example.com/a"),
        ("https://google.com.example.org/url?url=https://example.com/a", "https://example.com/a"),
    ],
)
def test_links_to_two_articles_differ(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_the_order_of_parameters_says_nothing() -> None:
    assert canonical("https://example.com/s?b=2&a=1") == canonical("https://example.com/s?a=1&b=2") == "example.com/s?a=1&b=2"


def test_a_wrapped_address_keeps_its_escapes() -> None:
    assert canonical("https://www.google.com/url?url=https%3A%2F%2Fexample.com%2Fa%2520b%3Fq%3Dx%2526y") == canonical(
        "https://example.com/a%20b?q=x%26y"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no address",
        "/only/a/path",
        "http://[half",
        "http://example.com:²/a",
        "http://example.com:99999/a",
        "http://x:" + "9" * 5000 + "/a",
    ],
)
def test_what_is_no_address_stands_for_itself(url: str) -> None:
    assert canonical(url) == url.strip()


@given(st.text(max_size=60) | st.from_regex(r"https?://[\w.:\[\]@-]{0,20}/[\w/?&=%#.]{0,30}", fullmatch=True))
def test_no_address_breaks_it(url: str) -> None:
    canonical(url)
    assert identities("wire", ParsedEntry(title="Rice", url=url))


def test_wrappers_without_end_do_not_break_it() -> None:
    assert "google.com" in canonical("http://google.com/url?url=" * 2000 + "http://example.com/a")


def parsed(title: str = "Rice pact signed", **more: str) -> ParsedEntry:
    return ParsedEntry(title=title, **more)


def test_identities() -> None:
    entry = parsed(url="https://example.com/a", guid="7", summary="It was long awaited.")
    guid, url, text = identities("wire", entry)
    assert (guid[:5], url[:4], text[:5]) == ("guid:", "url:", "text:")
    assert identities("other", entry)[1] == url, "an address counts everywhere"
    assert not {guid, text} & set(identities("other", entry)), "a guid and a text count within their source"
    assert identities("wire", entry, trust_guid=False) == [url, text]
    assert identities("wire", replace(entry, published=START)) == [guid, url, text], "a date is no name"
    assert all(len(name) <= 64 for name in (guid, url, text))


def test_a_home_page_names_no_entry() -> None:
    assert [n[:5] for n in identities("wire", parsed(url="https://example.com/"))] == ["text:"]


def test_same_words() -> None:
    kept = entry(title="Ministers Meet  in Orléans")
    assert same_words(kept, parsed("ministers meet in orleans"))
    assert not same_words(kept, parsed("ministers met in Orléans"))


def test_digests_keep_parts_apart() -> None:
    assert digest("a", "bc") != digest("ab", "c")
    assert digest("\ud800") == digest("\ud800")
    assert len(digest("a", size=24)) == 24


def entry(**more: object) -> Entry:
    values = {
        "entry_id": 1,
        "key": "k",
        "source": "wire",
        "url": "https://example.com/a",
        "title": "t",
        "summary": "",
        "published": START,
        "seen": START,
    }
    return Entry(**{**values, **more})  # type: ignore[arg-type]  # fields by name


def test_an_outlet_is_the_publisher_where_one_is_named() -> None:
    assert entry().outlet == "wire"
    assert entry(publisher="The Example").outlet == "The Example"


def test_utc() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert utc(datetime(2026, 3, 2, 17, 30, tzinfo=east)) == START
    assert utc(datetime(2026, 3, 2, 17, 30, tzinfo=east)).tzinfo is UTC
    with pytest.raises(ValueError, match="naive"):
        utc(datetime(2026, 3, 2))


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        (None, None),
        (START, START),
        (START - timedelta(days=900), START - timedelta(days=900)),
        (START + timedelta(hours=1), START),
        (START + timedelta(hours=26), START),
        (START + timedelta(hours=27), None),
        (datetime(1970, 1, 1, tzinfo=UTC), None),
        (datetime(1995, 1, 1, tzinfo=UTC), datetime(1995, 1, 1, tzinfo=UTC)),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), None),
    ],
)
def test_plausible(moment: datetime | None, found: datetime | None) -> None:
    assert plausible(moment, START) == found


def test_what_an_expression_reads_of_an_entry() -> None:
    facts = Facts(parties=("IND",), people=(Person(name="Ada Roe", office="Rice Minister"),))
    assessment = Assessment(scores={DEAL: 0.9, MEETING: 0.1}, development=0.9, facts=facts)
    passage = Passage.of(entry(summary="s", publisher="The Post"), assessment, (DEAL,))
    assert passage == Passage(title="t", summary="s", source="wire / The Post", topics=(DEAL,), parties=("IND",), people=("Ada Roe",))
    assert Passage.of(entry(), assessment, ()).source == "wire"


def assessed(deal: float = 0.0, meeting: float = 0.0, development: float = 0.9) -> Assessment:
    return Assessment(scores={DEAL: deal, MEETING: meeting}, development=development)


@pytest.mark.parametrize(
    ("assessment", "watched", "muted", "flagging"),
    [
        (assessed(0.9), [], [], Flagging(topics=(DEAL,))),
        (assessed(0.5), [], [], Flagging(topics=(DEAL,))),
        (assessed(0.6, 0.9), [], [], Flagging(topics=(MEETING, DEAL))),
        (assessed(0.49, 0.49), [], [], Flagging(topics=(), reason=Reason.OFF_TOPIC)),
        (assessed(0.9, development=0.49), [], [], Flagging(topics=(), reason=Reason.NOT_NEW)),
        (assessed(0.9), [], ["golf"], Flagging(topics=(), reason=Reason.MUTED, keyword="golf")),
        (assessed(0.4, development=0.4), ["rice", "wheat"], [], Flagging(topics=(DEAL,), keyword="rice", threshold=0.3)),
        (assessed(0.2), ["rice"], [], Flagging(topics=(), reason=Reason.OFF_TOPIC, keyword="rice", threshold=0.3)),
        (assessed(0.4, development=0.2), ["rice"], [], Flagging(topics=(), reason=Reason.NOT_NEW, keyword="rice", threshold=0.3)),
        (assessed(0.4), ["rice"], ["golf"], Flagging(topics=(), reason=Reason.MUTED, keyword="golf", threshold=0.3)),
    ],
)
def test_flag(assessment: Assessment, watched: list[str], muted: list[str], flagging: Flagging) -> None:
    assert flag(assessment, watched, muted) == flagging


@pytest.mark.parametrize(
    ("known", "baseline", "alerted", "age", "reason"),
    [
        (False, False, False, timedelta(0), Reason.NEW_DEVELOPMENT),
        (False, False, True, timedelta(0), Reason.FOLLOW_UP),
        (False, False, False, STALE, Reason.NEW_DEVELOPMENT),
        (False, False, True, STALE + timedelta(seconds=1), Reason.STALE),
        (False, True, True, timedelta(0), Reason.BASELINE),
        (False, True, False, STALE * 2, Reason.BASELINE),
        (True, False, True, timedelta(0), Reason.MORE_COVERAGE),
        (True, True, False, STALE * 2, Reason.MORE_COVERAGE),
    ],
)
def test_alert_reason(known: bool, baseline: bool, alerted: bool, age: timedelta, reason: Reason) -> None:
    assert alert_reason(known=known, baseline=baseline, dossier_alerted=alerted, published=START - age, now=START) is reason


def test_every_reason_says_whether_it_alerts() -> None:
    assert {r for r in Reason if r.alerts} == {Reason.NEW_DEVELOPMENT, Reason.FOLLOW_UP}
    assert all(r.sentence.startswith("alerted") is r.alerts for r in Reason)
    assert len({r.sentence for r in Reason}) == len(Reason)


def test_ids() -> None:
    assert development_id("k1") == development_id("k1") != development_id("k2")
    assert (development_id("k1")[0], len(development_id("k1"))) == ("d", 11)
    assert dossier_id((MEETING,), ("USA", "IND"), "d1") == "ministerial_meeting:IND-USA"
    assert dossier_id((MEETING, DEAL), ("IND", "USA"), "d1") == dossier_id((DEAL,), ("USA", "IND"), "d2") == "trade_deal:IND-USA"
    assert dossier_id((DEAL,), (), "d1") == "trade_deal:d1"
    assert dossier_id((DEAL,), ("E", "D", "C", "B", "A"), "d1") == "trade_deal:B-C-D-E"


def development(**more: object) -> Development:
    values = {
        "development_id": "d1",
        "dossier_id": "trade_deal:d1",
        "topics": (DEAL,),
        "headline": "Rice pact signed",
        "url": "https://example.com/a",
        "first_published": START,
        "last_published": START,
    }
    return Development(**{**values, **more})  # type: ignore[arg-type]  # fields by name


def test_a_development_in_words() -> None:
    told = [Coverage(outlet=o, url="u", title="t", published=START) for o in ("B", "A", "B")]
    summary = (SummarySentence(text="One.", url="u"), SummarySentence(text="Two.", url="u"))
    full = development(coverage=tuple(told), summary=summary, stage=Stage.SIGNED, status=Status.HELD)
    assert (full.outlets, full.text, full.step) == (("B", "A"), "One. Two.", "signed")
    assert development(status=Status.HELD).step == "held"
    assert development().step is None


def delivery(address: str = "C1", development_id: str = "d1", attempts: int = 1, number: int = 1) -> Delivery:
    alert = Alert(development=development(development_id=development_id), raised=START)
    return Delivery(delivery_id=number, destination=Destination(surface=Surface.SLACK, address=address), alert=alert, attempts=attempts)


@given(st.text(max_size=200), st.text(max_size=40))
def test_a_delivery_key_fits_and_stays(address: str, own: str) -> None:
    key = delivery(address, own).key
    assert 0 < len(key) <= 25
    assert key == delivery(address, own, attempts=9, number=77).key


def test_delivery_keys_differ() -> None:
    assert delivery().key == "5345eb0c5a3f77687077c5b6", "another key would send what was sent before an update a second time"
    assert len({delivery().key, delivery("C2").key, delivery(development_id="d2").key}) == 3
    assert str(delivery().destination) == "slack:C1"


def test_errors_say_what_they_know() -> None:
    assert (str(SettingsError("PORT", "a number")), SettingsError("PORT", "a number").variable) == ("PORT: a number", "PORT")
    source = SourceError("timeout", "10 s", retry_after=5.0)
    assert (str(source), source.reason, source.retry_after) == ("timeout: 10 s", "timeout", 5.0)
    assert TemporaryDeliveryError("later", 3.0).retry_after == 3.0
    assert FinalDeliveryError("no", "gone").code == "gone"
