"""Full text: the same on both databases, whatever is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ports import Query
from bot.storage.store import SqlStore
from bot.storage.words import MAX_STEM, MAX_STEMS, Term, Words, fts5, tsquery, tsvector
from tests.postgres import MARK, Server
from tests.storage.kit import keep, new, opened

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


# Letters that databases differ about: capitals of one locale only, letters younger than a table, digits that are none, long s, no letter at all.
ODD = "\"'*():^-–+{}[]<>!&|\\%_ \x00\ud800ANDORNEAT12eéÉİıßſøǅ२②½ꟑ𞤀😀त्र"
PIECES = (*["rice", "tariffs", "accord", "signed", "envoy", "not", "of", "the", "1e5", "½", "u.s.", "२"], '"', "-", " ")
ASKABLE = (
    st.text(min_size=1, max_size=40)
    | st.text(alphabet=ODD, min_size=1, max_size=30)
    | st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
    | st.sampled_from(("a" * 5_000, '"' + "a " * 3_000, "-x " * 2_000))
)


@asynccontextmanager
async def both(postgres: Server, folder: Path) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """A store on each of the databases."""
    folders = folder / "sqlite", folder / "postgresql"
    for own in folders:
        own.mkdir()
    with postgres.database() as url:
        (folders[1] / MARK).write_text(url)
        async with opened(folders[0]) as one, opened(folders[1]) as other:
            yield one, other


async def answers(store: SqlStore, asked: str) -> list[str]:
    return sorted(d.headline for d in await store.developments(Query(words=asked, limit=50)))


async def test_both_databases_find_the_same_whatever_is_asked(postgres: Server, tmp_path: Path) -> None:
    """One engine for all examples belongs to one loop, so Hypothesis makes them first and they are asked in it."""
    asked, told = list[str](), list[str]()

    @settings(max_examples=150, deadline=None, database=None)
    @given(query=ASKABLE, text=st.text(alphabet=ODD.replace("\x00", "").replace("\ud800", "") + "rice ", max_size=40))
    def make(query: str, text: str) -> None:
        asked.append(query)
        told.append(text)

    make()
    async with both(postgres, tmp_path) as stores:
        for store in stores:
            await shelf(store)
            for number, words in enumerate(told[:60], start=10):
                await keep(store, await new(store, f"{number} {words}", number))
        asked += [*told[:60], *(query for query, _ in ASKED if query)]
        found = [await answers(stores[0], query) for query in asked]
        assert found == [await answers(stores[1], query) for query in asked]
        assert sum(map(bool, found)) >= sum(bool(numbers) for _, numbers in ASKED)


def test_the_languages_of_the_databases() -> None:
    terms = [Term(stems=("rice", "tariff")), Term(stems=("tea",)), Term(stems=("sign",), wanted=False)]
    assert fts5(terms) == '("rice tariff" AND "tea") NOT ("sign")'
    assert tsquery(terms) == "('rice' <-> 'tariff') & ('tea') & !('sign')"
    assert tsvector(("rice", "tea", "rice")) == "'rice':1 'tea':2 'rice':3"
    assert fts5(terms[2:]) is None
    assert tsquery(terms[2:]) is None


@given(st.text(max_size=60))
def test_stems_are_letters_and_digits(text: str) -> None:
    assert all(stem.isalnum() for stem in Words().stems(text))


def test_stems_are_bounded() -> None:
    assert Words().stems("a" * 99) == ["a" * MAX_STEM]
    assert len(Words().stems("rice " * (MAX_STEMS + 1))) == MAX_STEMS


async def test_workers_do_not_take_the_same_entries(store: SqlStore, database: str) -> None:
    for number in range(6):
        await new(store, f"Notice {number} of the harbour", number)
    one, other = await asyncio.gather(store.unassessed(4), store.unassessed(4))
    shared = {e.key for e in one} & {e.key for e in other}
    assert (len(shared), len(one) + len(other)) == ((4, 8) if database == "sqlite" else (0, 6))
