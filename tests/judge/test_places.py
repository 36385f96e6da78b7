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
        ("Talks in Beijing", "", Role.CITY, True),
        ("Minister flies to Beijing", "", Role.CITY, False),
        ("New Delhi objects", "IND", Role.CAPITAL, False),
        ("a dinner in New Delhi", "", Role.CITY, True),
        ("Minister visits Tokyo", "", Role.CITY, False),
        ("Brussels warns", "EU", Role.CAPITAL, False),
        ("near Brussels", "", Role.CITY, True),
        ("Washington agrees", "USA", Role.CAPITAL, False),
        ("Talks at Geneva", "", Role.CITY, True),
        ("Geneva talks", "", Role.CITY, False),
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
