"""`sources.yaml`: what it may say, and where a mistake is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pycountry
import pytest

from bot.domain.entries import Kind, Source, canonical
from bot.domain.errors import SettingsError, SourceError
from bot.sources.addresses import Policy, check_url
from bot.sources.pages import read_page
from config.settings import HERE
from config.sources_file import read_sources
from tests.sources.kit import NOON, document

GOOD = "{name: Wire, url: https://example.com/feed}"
SHIPPED = read_sources(HERE / "sources.yaml")
INTERNATIONAL = {  # official, and of no one country
    "www.mercosur.int", "caricom.org", "asean.org", "au.int", "au-afcfta.org", "www.ecowas.int", "www.comesa.int",
    "www.wto.org", "unctad.org", "www.apec.org", "press.un.org", "news.un.org",
}  # fmt: skip
REGIONS = {  # of the countries in the list
    "Africa": "COG KEN NGA ZAF",
    "Americas": "ARG BRA CAN MEX URY USA",
    "Asia": "CHN HKG IDN IND ISR JPN KOR PAK PHL QAT SGP THA TUR TWN VNM",
    "Europe": "BEL CHE DEU EU FRA GBR NLD NOR RUS UKR",
    "Oceania": "AUS NZL",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_sources(tmp_path: Path) -> None:
    text = f"- {GOOD}\n- name: Page\n  url: http://example.org\n  kind: page\n  interval: 60\n  country: IND\n  selectors: {{title: h2, item: li}}\n"
    first, second = read_sources(written(tmp_path, text))
    assert first == Source(name="Wire", url="https://example.com/feed")
    assert (second.kind, second.interval, second.country) == (Kind.PAGE, 60, "IND")
    assert second.selectors == (("item", "li"), ("title", "h2"))


@pytest.mark.parametrize("text", ["", "[]", "# nothing yet\n"])
def test_an_empty_list(tmp_path: Path, text: str) -> None:
    assert read_sources(written(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {name: Wire", "cannot be read"),
        ("name: Wire", "item 0"),
        ("- {url: https://example.com}", r"item 0\.name"),
        (f"- {GOOD}\n- {{name: '', url: https://example.com}}", r"item 1\.name"),
        ("- {name: Wire, url: ftp://example.com}", r"item 0\.url"),
        ("- {name: Wire, url: example.com}", r"item 0\.url"),
        ("- {name: Wire, url: https://example.com, kind: smoke}", r"item 0\.kind"),
        ("- {name: Wire, url: https://example.com, interval: 0}", r"item 0\.interval"),
        ("- {name: Wire, url: https://example.com, interval: soon}", r"item 0\.interval"),
        ("- {name: Wire, url: https://example.com, colour: red}", r"item 0\.colour"),
        (
            f"- {GOOD}\n- {{name: Blog, url: https://example.org, group: blogs}}",
            r"item 1\.group: Input should be 'official', 'press' or 'api'",
        ),
        ("- {name: Wire, url: https://example.com, group: Press}", r"item 0\.group"),
        (f"- {GOOD}\n- {GOOD}", "“Wire” stands twice"),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=rf"^ATTACHE_SOURCES: mine\.yaml.*{says}") as caught:
        read_sources(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("group", ["official", "press", "api", None])
def test_the_groups(tmp_path: Path, group: str | None) -> None:
    (source,) = read_sources(written(tmp_path, f"- {{name: Wire, url: https://example.com, group: {group or 'null'}}}"))
    assert source.group == group


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.yaml cannot be read"):
        read_sources(tmp_path / "missing.yaml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_sources(path)


def at(source: Source) -> str:
    return urlsplit(source.url).netloc


def test_the_list_that_ships_is_worth_having() -> None:
    assert len(SHIPPED) >= 60
    assert {Kind.FEED, Kind.PAGE, Kind.GDELT} == {s.kind for s in SHIPPED}
    counted = Counter(s.group for s in SHIPPED)
    assert set(counted) == {"official", "press", "api"}
    assert min(counted["official"], counted["press"]) >= 30


def test_no_source_ships_twice() -> None:
    assert [name for name, times in Counter(s.name.casefold() for s in SHIPPED).items() if times > 1] == []
    assert [address for address, times in Counter(canonical(s.url) for s in SHIPPED).items() if times > 1] == []


@pytest.mark.parametrize("source", SHIPPED, ids=lambda s: s.name)
def test_a_shipped_source_says_what_it_is(source: Source) -> None:
    assert source.language == "en"
    assert source.country is None or source.country == "EU" or pycountry.countries.get(alpha_3=source.country) is not None
    if source.group == "official":
        assert (source.country is None) == (at(source) in INTERNATIONAL)
    assert (source.kind is Kind.PAGE) == bool(source.selectors)


@pytest.mark.parametrize("source", SHIPPED, ids=lambda s: s.name)
def test_a_shipped_address_is_clean(source: Source) -> None:
    assert source.url.startswith("https://")  # none of the servers in the list is known to have nothing better than http
    check_url(source.url, Policy())
    assert not urlsplit(source.url).fragment
    asked = parse_qsl(urlsplit(source.url).query, keep_blank_values=True)
    assert sorted(asked) == parse_qsl(urlsplit("//" + canonical(source.url)).query, keep_blank_values=True), "tracking parameters"


@pytest.mark.parametrize("source", SHIPPED, ids=lambda s: s.name)
def test_a_shipped_source_is_polled_as_often_as_its_kind_allows(source: Source) -> None:
    least, most = {"official": (600, 1800), "press": (300, 300), "api": (900, 86_400)}[source.group or ""]
    assert source.interval is not None
    assert least <= source.interval <= most


@pytest.mark.parametrize("source", SHIPPED, ids=lambda s: s.name)
def test_indexes_are_api_and_gdelt_is_asked_for_json(source: Source) -> None:
    index = at(source) in ("news.google.com", "api.gdeltproject.org")
    assert (source.group == "api") == index
    assert (source.kind is Kind.GDELT) == (at(source) == "api.gdeltproject.org")
    if source.kind is Kind.GDELT:
        assert {("mode", "artlist"), ("format", "json"), ("sort", "datedesc")} <= set(parse_qsl(urlsplit(source.url).query))


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_is_covered(region: str) -> None:
    here = Counter(s.group for s in SHIPPED if s.country in REGIONS[region].split())
    assert here["official"] >= 1
    assert here["press"] >= 4


def test_every_country_has_its_region() -> None:
    assert {s.country for s in SHIPPED if s.country} == set(" ".join(REGIONS.values()).split())


@pytest.mark.parametrize("source", [s for s in SHIPPED if s.kind is Kind.PAGE], ids=lambda s: s.name)
def test_shipped_selectors_are_css(source: Source) -> None:
    with pytest.raises(SourceError, match=r"^selector: nothing on the page matches item"):
        read_page(document("<p>Nothing today.</p>", source.url), dict(source.selectors), NOON, 10)


@pytest.mark.parametrize(
    ("name", "markup", "title", "url"),
    [
        (
            "China Ministry of Foreign Affairs",
            '<ul><li><a href="./202609/t20260918_1.html">Minister meets envoy</a></li><li><a href="./index_1.html">Next page</a></li></ul>',
            "Minister meets envoy",
            "https://www.fmprc.gov.cn/eng/xw/zyxw/202609/t20260918_1.html",
        ),
        (
            "Brazil Ministry of Foreign Affairs",
            '<article><div class="tileContent"><h2 class="tileHeadline"><a href="https://www.gov.br/mre/en/x">Pact signed</a></h2></div></article>',
            "Pact signed",
            "https://www.gov.br/mre/en/x",
        ),
    ],
)
def test_shipped_selectors_fit_the_markup_that_they_were_written_for(name: str, markup: str, title: str, url: str) -> None:
    (source,) = (s for s in SHIPPED if s.name == name)
    (entry,) = read_page(document(markup, source.url), dict(source.selectors), NOON, 10).entries
    assert (entry.title, entry.url) == (title, url)


def test_the_file_says_that_its_addresses_were_not_tried() -> None:
    header = (HERE / "sources.yaml").read_text(encoding="utf-8").partition("\n- {")[0]
    assert "NOT TRIED" in header
    assert "from memory" in header
