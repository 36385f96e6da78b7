"""The language of watch keywords: what matches, what is printed, and what a mistake is answered with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UsageError
from bot.domain.topics import Topic
from bot.domain.watch import MAX_EXPRESSION, Passage
from bot.judge.conditions import Reading, WatchCondition, beginning, words_of
from bot.judge.watching import MAX_DEPTH, MAX_TERMS
from tests.judge.kit import language, places

PACT = Passage(
    title="Norland, Sudland near a rice pact",
    summary="Ada Roe said in Türkiye that the free-trade agreements lower tariffs. The U.S. and the WTO agree.",
    source="PIB India / The Harbour Post",
    topics=(Topic.TRADE_DEAL,),
    parties=("IND", "EU"),
    people=("Ada Roe", "José Núñez"),
)


def matches(expression: str, passage: Passage = PACT) -> bool:
    return language().compile(expression).matches(passage)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("rice", True),
        ("RICE", True),
        ("ric", False),
        ("tariff", True),
        ("tariffs", True),
        ("agreement", True),
        ("turkiye", True),
        ("Türkiye", True),
        ("ＷＴＯ", True),
        ("U.S.", True),
        ("free-trade", True),
        ("rice golf", False),
        ("rice pact", True),
        ("pact rice", True),
        ('"rice pact"', True),
        ('"rice pacts"', True),
        ("“rice pact”", True),
        ('"pact rice"', False),
        ('"pact Ada"', False),
        ("tar*", True),
        ("riff*", False),
        ("TÜRK*", True),
        ('"trade agree*"', True),
        ('"rice agree*"', False),
        ('"sudland near a ri*"', True),
        ("golf OR rice", True),
        ("golf OR tea", False),
        ("golf OR tea rice", False),
        ("(golf OR tea OR pact) rice", True),
        ("rice AND pact", True),
        ("rice or pact", False),
        ("NOT golf", True),
        ("rice NOT golf", True),
        ("rice -golf", True),
        ("rice -pact", False),
        ("rice NOT (golf OR pact)", False),
        ("NOT NOT rice", True),
        ("country:IND", True),
        ("country:India", True),
        ("COUNTRY:ind", True),
        ("country：India", True),
        ('country:"european union"', True),
        ("country:EU", True),
        ("country:USA", False),
        ("person:roe", True),
        ("person:ada", True),
        ("person:NUNEZ", True),
        ('person:"ada roe"', True),
        ('person:"roe ada"', False),
        ("person:ro", False),
        ("person:ro*", True),
        ("person:ryce", False),
        ("topic:trade", True),
        ("topic:deals", True),
        ("topic:meeting", False),
        ("source:pib", True),
        ('source:"harbour post"', True),
        ("source:post-office", False),
        ("source:harb*", True),
    ],
)
def test_what_matches(expression: str, found: bool) -> None:
    assert matches(expression) is found


def test_a_passage_without_anything_matches_only_what_is_denied() -> None:
    assert not matches("rice", Passage(title=""))
    assert not matches("person:roe", Passage(title=""))
    assert not matches("source:pib", Passage(title=""))
    assert not matches('"rice pa*"', Passage(title=""))
    assert matches("NOT rice", Passage(title=""))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("rice tea", "rice AND tea"),
        ("  rice   AND tea ", "rice AND tea"),
        ('"rice"', "rice"),
        ("“rice pact”", '"rice pact"'),
        ("rice OR tea coffee", "rice OR tea AND coffee"),
        ("(rice OR tea) coffee", "(rice OR tea) AND coffee"),
        ("(rice AND (tea AND coffee))", "rice AND tea AND coffee"),
        ("rice OR (tea OR coffee)", "rice OR tea OR coffee"),
        ("-(rice OR tea)", "NOT (rice OR tea)"),
        ("NOT (rice tea)", "NOT (rice AND tea)"),
        ("NOT -rice", "rice"),
        ("and OR Not", '"and" OR "Not"'),
        ("10:30", '"10:30"'),
        ('"-5"', '"-5"'),
        ("country:India", "country:IND"),
        ("country:can", "country:CAN"),
        ("topic:deals", "topic:trade"),
        ("topic:Meetings", "topic:meeting"),
        ("person:“Ada Roe”", 'person:"Ada Roe"'),
        ("Source:PIB", "source:PIB"),
        ("ri\u200bce\u202e", "rice"),
    ],
)
def test_the_canonical_form(expression: str, text: str) -> None:
    condition = language().compile(expression)
    assert condition.text == text
    assert language().compile(text) == condition


def test_every_country_and_bloc_is_known_by_its_code() -> None:
    codes = {*places()._names, *places()._blocs}
    assert len(codes) > 200
    for code in codes:
        assert language().compile(f"country:{code.lower()}").text == f"country:{code}"


@pytest.mark.parametrize(
    ("expression", "place", "expected"),
    [
        ("", "character 1): ^ –", "expected a term (a word"),
        ("rice AND", "character 9): rice AND^ –", "expected a term (a word"),
        ("rice AND OR tea", "rice AND ^OR tea", "expected a term (a word"),
        ("OR rice", "^OR rice", "NOT or “(”"),
        ("(rice", "character 6): (rice^ –", "AND, OR, NOT, “(” or “)”"),
        ("rice)", "rice^)", "or the end"),
        ("()", "(^)", "expected a term"),
        ("rice NOT", "rice NOT^", "expected a term"),
        ('tea "rice pact', 'tea ^"rice pact', "no partner"),
        ("rice ??", "rice ^??", "a letter or a digit"),
        ('rice "…"', 'rice ^"…"', "a letter or a digit"),
        ("rice - tea", "rice ^- tea", "a letter or a digit"),
        ("tar*iff", "tar^*iff", "* stands at the end"),
        ('"ri* pact"', '"ri^* pact"', "* stands at the end"),
        ("t*", "t^*", "at least 2 letters"),
        ("rice.*", "rice.^*", "at least 2 letters"),
        ("country:Atlantis", "country:^Atlantis", "is no country or bloc"),
        ('country:"India Japan"', 'country:^"India Japan"', "more than one"),
        ("country: IND", "country:^ IND", "right after it"),
        ("topic:golf", "topic:^golf", "topic:trade or topic:meeting"),
        ("place:Geneva", "^place:Geneva", "there is no “place:”"),
        ("rice person:??", "rice ^person:??", "a letter or a digit"),
        ("r " * (MAX_TERMS + 1), "^r", f"more than {MAX_TERMS} terms"),
        ("(" * (MAX_DEPTH + 1) + "rice" + ")" * (MAX_DEPTH + 1), "(" * MAX_DEPTH + "^(", f"more than {MAX_DEPTH} brackets"),
        ("rice " * 10 + "tea) " + "rice " * 10, "…", "^)"),
    ],
)
def test_a_mistake_is_shown_at_its_place(expression: str, place: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        language().compile(expression)
    assert place in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("expression", ["r" * (MAX_EXPRESSION + 1), "\u200b" * 9_999, "ﷺ" * 300])
def test_what_is_too_long(expression: str) -> None:
    with pytest.raises(UsageError, match="too long"):
        language().compile(expression)


def test_what_does_not_show_takes_no_room() -> None:
    assert language().compile("rice" + "\u200b" * MAX_EXPRESSION).text == "rice"


def test_the_largest_expression() -> None:
    inner = "(" * MAX_DEPTH + " OR ".join(["rice"] * MAX_TERMS) + ")" * MAX_DEPTH
    assert matches(inner)
    assert not matches("NOT " * 99 + "rice")


def test_a_condition_is_compiled_once() -> None:
    assert language().compile("rice pact") is language().compile("rice pact")


PIECES = [
    "rice",
    "tea",
    "pact*",
    '"rice pact"',
    "AND",
    "OR",
    "NOT",
    "-",
    "(",
    ")",
    '"',
    "country:IND",
    "person:",
    "topic:trade",
    "source:x",
]
ANY = st.text(max_size=60) | st.lists(st.sampled_from([*PIECES, "*", "“", ":", "é", "ﬁ", "½", "\u200b"]), max_size=16).map(" ".join)


def attempted(expression: str) -> WatchCondition | str:
    """The condition, or what its author is told."""
    try:
        return language().compile(expression)
    except UsageError as error:
        return str(error)


@given(ANY, st.text(max_size=60))
def test_any_string_compiles_or_is_a_mistake_of_its_author(expression: str, text: str) -> None:
    condition = attempted(expression)
    if isinstance(condition, str):
        assert "^" in condition or "too long" in condition
        return
    again = language().compile(condition.text)
    assert (again, again.text) == (condition, condition.text)
    passage = Passage(title=text, summary=text[::-1], source=text, people=(text,), parties=("IND",))
    assert again.matches(passage) is condition.matches(passage)


WORDS = ["rice", "tea", "tariffs", "pact", "golf"]
ATOMS = st.sampled_from([*WORDS, "tar*", '"rice pact"', "country:IND", "topic:trade", "person:roe", "source:wire"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR ", " "]), inner).map(lambda parts: f"({''.join(parts)})"),
        inner.map(lambda part: f"NOT {part}"),
    ),
    max_leaves=6,
)
PASSAGES = st.builds(
    Passage,
    title=st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    summary=st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    source=st.sampled_from(["wire", "herald"]),
    topics=st.sampled_from([(), (Topic.TRADE_DEAL,)]),
    parties=st.sampled_from([(), ("IND",)]),
    people=st.sampled_from([(), ("Ada Roe",)]),
)


@given(EXPRESSIONS, EXPRESSIONS, PASSAGES)
def test_the_laws_of_and_or_not(a: str, b: str, passage: Passage) -> None:
    left, right = matches(a, passage), matches(b, passage)
    assert matches(f"{a} AND {b}", passage) is (left and right)
    assert matches(f"{a} {b}", passage) is (left and right)
    assert matches(f"{a} OR {b}", passage) is (left or right)
    assert matches(f"NOT {a}", passage) is not left
    assert matches(f"-{a}", passage) is not left
    assert matches(f"NOT ({a} OR {b})", passage) is matches(f"NOT {a} AND NOT {b}", passage)
    assert matches(f"{a} OR {b} {a}", passage) is left or right
    assert matches(str(language().compile(a).text), passage) is left


@given(PASSAGES, st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), max_size=30))
def test_a_phrase_of_a_text_is_in_it(passage: Passage, text: str) -> None:
    condition = attempted(f'"{text}"')
    assert isinstance(condition, str) or condition.matches(Passage(title=f"{passage.title} {text.rstrip(' *＊')} {passage.summary}"))


ODD = [
    "skis",
    "skies",
    "sky",
    "dying",
    "lying",
    "tying",
    "idly",
    "gently",
    "ugly",
    "early",
    "only",
    "singly",
    "news",
    "cries",
    "yes",
    "ties",
]


@given(
    st.sampled_from(ODD) | st.from_regex(r"_{0,3}[a-zéßıж0-9][a-zéßıж0-9_]{0,11}(?:ies|ied|ing|ational|ly|s|y|ogi|iviti)?", fullmatch=True)
)
def test_every_word_begins_as_its_stem_says(word: str) -> None:
    (folded,) = words_of(word)
    (stem,) = Reading().stems([folded])
    assert folded.startswith(beginning(stem))
    assert matches(f'"{word}"', Passage(title=f"One {word} more"))


def test_threads_may_share_it() -> None:
    passages = [Passage(title=f"Ministers number {n} agreeing on tariffs") for n in range(400)]
    condition = language().compile('minister agree "on tariff" num*')
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(condition.matches, passages))
