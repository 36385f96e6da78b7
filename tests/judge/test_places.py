"""Names of countries, blocs and cities in headlines of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.judge.places import Role
from tests.judge.kit import places


def codes(text: str) -> list[str]:
    return [p.code for p in places().scan(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("India and Japan talk", ["IND", "JPN"]),
        ("Indian rice, Japanese steel, Brazilian beef", ["IND", "JPN", "BRA"]),
        ("South Korea, North Korea and S. Korea", ["KOR", "PRK", "KOR"]),
        ("Korean Türkiye and Turkiye", ["TUR", "TUR"]),
        ("Côte d'Ivoire and Ivory Coast", ["CIV", "CIV"]),
        ("India’s ministers and Japan's ministers", ["IND", "JPN"]),
        ("UK's and U.S. envoys", ["GBR", "USA"]),
        ("The EU, ASEAN and Mercosur", ["EU", "ASEAN", "MERCOSUR"]),
        ("the European Commission and OPEC+", ["EU", "OPEC"]),
        ("White House and Kremlin and Downing Street", ["USA", "RUS", "GBR"]),
        ("Trinidad and Tobago, then India.", ["TTO", "IND"]),
        ("Papua New Guinea is not Guinea", ["PNG", "GIN"]),
        ("DR Congo signs", ["COD"]),
        ("Congo is not the Republic of Congo", ["COD", "COG"]),
        ("Korea, S Korea and N. Korea", ["KOR", "KOR", "PRK"]),
        ("Pak and Nepali rice, an Indo-Argentine pact, EU-Sino tea", ["PAK", "NPL", "IND", "ARG", "EU", "CHN"]),
        ("the World Bank and the OECD", ["WB", "OECD"]),
    ],
)
def test_names(text: str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "They told us to cook a turkey in china",
        "a polish on the table",
        "Polish your silver",
        "Bank of England and the Washington Post",
        "South China Sea and Indian Ocean",
        "New Mexico and New England",
        "Victoria, Stanley and Douglas say no",
        "South American, Latin American and Indo-Pacific leaders of New Jersey",
        "Michael Jordan scores",
        "it is what it is",
        "un petit au revoir",
        "",
    ],
)
def test_words_that_only_look_like_names(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "code", "role", "inside"),
    [
        ("Beijing says no", "CHN", Role.CAPITAL, False),
        ("Talks in Beijing", "CHN", Role.CITY, True),
        ("Minister flies to Beijing", "CHN", Role.CITY, False),
        ("New Delhi objects", "IND", Role.CAPITAL, False),
        ("a dinner in New Delhi", "IND", Role.CITY, True),
        ("Minister visits Tokyo", "JPN", Role.CITY, False),
        ("Brussels warns", "EU", Role.CAPITAL, False),
        ("near Brussels", "", Role.CITY, True),
        ("Washington agrees", "USA", Role.CAPITAL, False),
        ("Talks at Geneva", "", Role.CITY, True),
        ("Geneva talks", "", Role.CITY, True),
        ("Tokyo rice summit", "JPN", Role.CAPITAL, False),
        ("Tokyo trade talks", "JPN", Role.CITY, True),
        ("a dinner in Brussels", "", Role.CITY, True),
        ("envoys at France", "FRA", Role.COUNTRY, False),
        ("envoys at the White House", "USA", Role.COUNTRY, True),
        ("dinner in the resort of Osaka", "", Role.CITY, True),
        ("rain in India", "IND", Role.COUNTRY, True),
        ("rain in the UK", "GBR", Role.COUNTRY, True),
        ("India agrees", "IND", Role.COUNTRY, False),
        ("ASEAN agrees", "ASEAN", Role.BLOC, False),
    ],
)
def test_roles(text: str, code: str, role: Role, inside: bool) -> None:
    (place,) = places().scan(text)
    assert (place.code, place.role, place.inside) == (code, role, inside)


@pytest.mark.parametrize(
    ("text", "visited"),
    [
        ("Rice minister visits France", ["France"]),
        ("Rice minister travels to Osaka", ["Osaka"]),
        ("Rice minister heads for Tokyo", ["Tokyo"]),
        ("first trip by a rice minister to Kenya", ["Kenya"]),
        ("Roe's Kenya visit and her Osaka trip", ["Kenya", "Osaka"]),
        ("Roe lands in Kenya", ["Kenya"]),
        ("a Kenyan visit", []),
        ("Kenya's visit", []),
        ("rice for Kenya", []),
    ],
)
def test_where_somebody_goes(text: str, visited: list[str]) -> None:
    assert [p.name for p in places().scan(text) if p.visited] == visited


@pytest.mark.parametrize(
    ("text", "aside"),
    [
        ("since Kenya's invasion", ["Kenya"]),
        ("the Kenya-Chad war", ["Kenya", "Chad"]),
        ("a war in Kenya, a civil war in Chad", ["Kenya", "Chad"]),
        ("Kenyan oil and a Chad threat", ["Kenyan", "Chad"]),
        ("fears over Kenya", ["Kenya"]),
        ("fears over the Kenya-Chad rice pact", []),
        ("fears about Kenya trade deal", []),
        ("the Kenya trade war", []),
        ("a Kenyan oil pact for Chad missiles", []),
        ("peace with Kenya", []),
        ("the Board of Peace in Kenya", []),
        ("Kenyan rice", []),
    ],
)
def test_what_a_matter_is_set_against(text: str, aside: list[str]) -> None:
    assert [p.name for p in places().scan(text) if p.aside] == aside


@pytest.mark.parametrize(
    ("text", "noun"), [("in France", True), ("in French", False), ("in the Vatican", True), ("in Geneva", True), ("Uzbek", False)]
)
def test_adjectives_are_known(text: str, noun: bool) -> None:
    (place,) = places().scan(text)
    assert place.noun is noun


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("They told us that the US agrees", ["USA"]),
        ("Tell us more", []),
        ("Us and them", []),
        ("US envoy lands", ["USA"]),
        ("INDIA AND CHINA SIGN RICE PACT", ["IND", "CHN"]),
        ("US AND INDIA SIGN RICE PACT", ["USA", "IND"]),
        ("MINISTERS OF INDIA TELL US", ["IND"]),
    ],
)
def test_us_is_a_pronoun_too(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_a_place_is_a_span() -> None:
    text = "Talks in the U.S. and in Geneva’s old town end in India."
    found = places().scan(text)
    assert [p.name for p in found] == ["U.S.", "Geneva", "India"]
    assert all(text[p.start : p.end].startswith(p.name) for p in found)


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["India", "US", "in", "the", "U.S.", "İ", "’s", "Beijing", ".", "ﬁ", "New", "Delhi"]), max_size=12).map(
        " ".join
    )
)
def test_every_place_is_a_span_of_any_text(text: str) -> None:
    for place in places().scan(text):
        assert place.name in text[place.start : place.end]
        assert place.name


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("India", ("IND",)),
        ("india usa", ("IND", "USA")),
        ("india and the us", ("IND", "USA")),
        ("ind", ("IND",)),
        ("IND CAN", ("IND", "CAN")),
        ("CAN", ("CAN",)),
        ("can india talk", ("IND",)),
        ("INDIA AND JAPAN", ("IND", "JPN")),
        ("what are deals per country a week ago", ()),
        ("eu", ("EU",)),
        ("uk", ("GBR",)),
        ("south korea", ("KOR",)),
        ("beijing", ("CHN",)),
        ("nowhere", ()),
        ("", ()),
    ],
)
def test_find_takes_what_people_type(typed: str, found: tuple[str, ...]) -> None:
    assert places().find(typed) == found


@pytest.mark.parametrize(
    ("code", "name", "flag"),
    [
        ("IND", "India", "🇮🇳"),
        ("USA", "United States", "🇺🇸"),
        ("XKX", "Kosovo", "🇽🇰"),
        ("EU", "European Union", "🇪🇺"),
        ("ASEAN", "ASEAN", ""),
        ("Q9", "Q9", ""),
    ],
)
def test_names_and_flags(code: str, name: str, flag: str) -> None:
    assert (places().name(code), places().flag(code)) == (name, flag)
