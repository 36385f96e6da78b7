"""Full text: the same on both databases, whatever is asked."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ports import Query
from bot.storage.store import SqlStore
from bot.storage.words import Term, Words, fts5, tsquery
from tests.storage.kit import keep, new

TITLES = (
    "Ministers sign the café accord",
    "Rice tariffs fall after the e-mail of the U.S. envoy",
    "Accord on tariff of rice is not signed",
)
ASKED = [
    ("tariff", [1, 2]),
    ("TARIFFS rice", [1, 2]),
    ("rice -signed", [1]),
    ('"tariff of rice"', [2]),
    ('"rice tariff"', [1]),
    ('cafe –"rice tariff"', [0]),
    ("u.s.", [1]),
    ("e-mail", [1]),
    ("signs accord", [0, 2]),
    ("-rice", []),
    ("", []),
    ('"', []),
]


async def shelf(store: SqlStore) -> None:
    for number, title in enumerate(TITLES):
        await keep(store, await new(store, title, number))


@pytest.mark.parametrize(("asked", "found"), ASKED, ids=[a or "nothing" for a, _ in ASKED])
async def test_what_is_found(store: SqlStore, asked: str, found: list[int]) -> None:
    await shelf(store)
    if not asked:
        return
    answers = [d.headline for d in await store.developments(Query(words=asked))]
    assert sorted(answers) == sorted(TITLES[n] for n in found)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.text(min_size=1, max_size=40) | st.text(alphabet="\"'*():^-+{}[]<>!&|ANDORNEATrice \x00", min_size=1, max_size=30))
async def test_no_words_break_it(store: SqlStore, words: str) -> None:
    assert await store.developments(Query(words=words)) == []


def test_the_languages_of_the_databases() -> None:
    terms = [Term(stems=("rice", "tariff")), Term(stems=("tea",)), Term(stems=("sign",), wanted=False)]
    assert fts5(terms) == '("rice tariff" AND "tea") NOT ("sign")'
    assert tsquery(terms) == "(rice <-> tariff) & (tea) & !(sign)"
    assert fts5(terms[2:]) is None
    assert tsquery(terms[2:]) is None


@given(st.text(max_size=60))
def test_stems_are_letters_and_digits(text: str) -> None:
    assert all(stem.isalnum() for stem in Words().stems(text))


async def test_workers_do_not_take_the_same_entries(store: SqlStore, database: str) -> None:
    for number in range(6):
        await new(store, f"Notice {number} of the harbour", number)
    one, other = await asyncio.gather(store.unassessed(4), store.unassessed(4))
    shared = {e.key for e in one} & {e.key for e in other}
    assert (len(shared), len(one) + len(other)) == ((4, 8) if database == "sqlite" else (0, 6))
