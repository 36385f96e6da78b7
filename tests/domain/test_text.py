"""Text from outside: whatever comes in, what leaves is one clean line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.reading import MAX_SUMMARY, ngrams, passage
from bot.domain.text import cut, cut_at_sentence, fold, plain, sentences, split_publisher, without_tail

ANY = st.text(max_size=120)
MARKUP = st.lists(
    st.sampled_from(["<p>", "</p>", "<br/>", "<script>", "</script>", "&amp;", "&lt;b&gt;", "&#8207;", "<", ">", "&", "word", " "])
).map("".join)


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        (None, ""),
        ("", ""),
        ("<p>Ministers met.</p><p>They ate.</p>", "Ministers met. They ate."),
        ("Steel<br>and rice", "Steel and rice"),
        ("a<script>alert('x')</script>b", "ab"),
        ("a<!-- hidden -->b", "ab"),
        ("Fish &amp; chips &lt;b&gt;bold&lt;/b&gt;", "Fish & chips bold"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("zero\u200bwidth and \u202eright to left", "zerowidth and right to left"),
        ("line\u2028and\npage\x0cand\ttab\x85end", "line and page and tab end"),
        ("bell\x07 and null\x00", "bell and null"),
        ("cafe\u0301", "café"),
        ("cafe\u200d\u0301", "café"),
        ("half a pair \ud800", "half a pair"),
    ],
)
def test_plain(dirty: str | None, clean: str) -> None:
    assert plain(dirty) == clean


@given(ANY | MARKUP, st.integers(1, 60))
@example("e\u200d\u0301", 10)
def test_plain_is_one_clean_line(text: str, limit: int) -> None:
    found = plain(text, limit)
    assert len(found) <= limit
    assert unicodedata.is_normalized("NFC", found)
    assert not [c for c in found if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
    assert found == " ".join(found.split())


@given(st.text(st.characters(exclude_characters="<&"), max_size=120))
def test_plain_leaves_plain_text_alone(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(ANY, st.integers(1, 60))
def test_cut_is_idempotent_and_a_beginning(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert text.startswith(short)
    assert cut(short, limit) == short
    assert len(cut(text, limit, "…")) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "mark", "short"),
    [
        ("rice and steel", 20, "…", "rice and steel"),
        ("rice and steel", 10, "", "rice and"),
        ("rice and steel", 10, "…", "rice and…"),
        ("rice, steel", 6, "", "rice"),
        ("incomprehensibility", 5, "", "incom"),
        ("a incomprehensibility", 10, "", "a incompre"),
        ("rice", 0, "", ""),
    ],
)
def test_cut(text: str, limit: int, mark: str, short: str) -> None:
    assert cut(text, limit, mark) == short


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("They met. They ate.", ["They met.", "They ate."]),
        ("Mr. Roe met Dr. Poe. Both left.", ["Mr. Roe met Dr. Poe.", "Both left."]),
        ("J. R. Hartley spoke. He left.", ["J. R. Hartley spoke.", "He left."]),
        ("Trade grew 3.5 per cent. 2026 was good.", ["Trade grew 3.5 per cent.", "2026 was good."]),
        ("He said “no.” Then he left.", ["He said “no.”", "Then he left."]),
        ('"Why?" "Because."', ['"Why?"', '"Because."']),
        ("(It rained.) Élan helped! Ever so…", ["(It rained.)", "Élan helped!", "Ever so…"]),
        ("one. two. three", ["one. two. three"]),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert sentences(text) == found


@given(
    st.lists(st.sampled_from(["Rice", "met", "Mr.", "end.", "“no.”", "Why?)", "U.S.", "…", "Étude", "3", " ", "\n", '"']), max_size=20).map(
        " ".join
    )
    | ANY
)
def test_sentences_joined_give_the_text(text: str) -> None:
    found = sentences(text)
    assert " ".join(found).split() == text.split()
    assert all(s == s.strip() and s for s in found)


def test_cut_at_sentence() -> None:
    text = "They met at noon. They ate rice. They left by train."
    assert cut_at_sentence(text, 100) == text
    assert cut_at_sentence(text, 34) == "They met at noon. They ate rice."
    assert cut_at_sentence(text, 12) == "They met at…"


@given(ANY, st.integers(1, 60))
def test_cut_at_sentence_keeps_the_limit(text: str, limit: int) -> None:
    assert len(cut_at_sentence(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ministers met. Continue reading...", "Ministers met."),
        ("Ministers met. […]", "Ministers met."),
        ("Ministers met. Read more »", "Ministers met."),
        ("Ministers met. The post Ministers met appeared first on The Example.", "Ministers met."),
        ("Ministers will read more papers today before they vote, and then they will go on to talk about other weighty matters", None),
    ],
)
def test_without_tail(text: str, kept: str | None) -> None:
    assert without_tail(text) == (kept or text)


@pytest.mark.parametrize(
    ("title", "source", "head", "publisher"),
    [
        ("Ministers meet in Geneva - The Example Times", "", "Ministers meet in Geneva", "The Example Times"),
        ("Ministers meet in Geneva | example.com", "", "Ministers meet in Geneva", "example.com"),
        ("Ministers meet in Geneva – Harbour Gossip", "Harbour Gossip Weekly", "Ministers meet in Geneva", "Harbour Gossip"),
        ("Ministers meet in Geneva – Harbour Gossip", "", "Ministers meet in Geneva – Harbour Gossip", None),
        ("Ministers meet in Geneva - and stay for the night", "", "Ministers meet in Geneva - and stay for the night", None),
        ("Ministers meet in Geneva | World News - The Harbour Times", "", "Ministers meet in Geneva", "The Harbour Times"),
        (
            "Markets fall as talks stall — Live Updates - The Harbour Times",
            "",
            "Markets fall as talks stall — Live Updates",
            "The Harbour Times",
        ),
        ("Short - The Times", "", "Short - The Times", None),
        ("No publisher at all", "", "No publisher at all", None),
    ],
)
def test_split_publisher(title: str, source: str, head: str, publisher: str | None) -> None:
    assert split_publisher(title, source) == (head, publisher)


@given(ANY)
def test_split_publisher_only_shortens(title: str) -> None:
    head, publisher = split_publisher(title)
    assert title.startswith(head) if publisher is None else title.strip().startswith(head)
    assert publisher is None or title.rstrip().endswith(publisher)


@given(
    st.lists(st.sampled_from(["Ministers meet in Geneva", "World News", "The Harbour Times", "Live Updates", "x", "India"])).map(" - ".join)
)
def test_what_is_split_once_has_nothing_left_to_split(title: str) -> None:
    head, _ = split_publisher(title)
    assert split_publisher(head) == (head, None)


@given(ANY)
@settings(max_examples=200)
def test_fold_is_idempotent(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert folded == " ".join(folded.split())


@given(ANY)
def test_fold_forgets_normal_form(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


def test_fold() -> None:
    assert fold("  Türkiye\u00a0AND  Élysée ") == "turkiye and elysee"
    assert fold("ＵＳＡ ﬁsh Straße") == "usa fish strasse"


@pytest.mark.parametrize(
    ("title", "summary", "read"),
    [
        ("Norland signs rice pact - The Example Times", "It was long awaited.", ("Norland signs rice pact", "It was long awaited.")),
        ("Norland signs rice pact", "Norland signs rice pact - It was long awaited.", ("Norland signs rice pact", "It was long awaited.")),
        ("Norland signs rice pact", "Norland signs rice pact", ("Norland signs rice pact", "")),
        ("Norland sign", "Norland signed a pact on rice this morning.", ("Norland sign", "Norland signed a pact on rice this morning.")),
        ("Norland signs", None, ("Norland signs", "")),
    ],
)
def test_passage(title: str, summary: str | None, read: tuple[str, str]) -> None:
    assert passage(title, summary) == read


def test_a_passage_is_bounded() -> None:
    head, body = passage("word " * 500, "text " * 500)
    assert len(head) <= 400
    assert len(body) <= MAX_SUMMARY


def test_ngrams() -> None:
    assert ngrams("Norland's 25 ships", "Rice U.S.") == [
        "norland",
        "#",
        "ships",
        "norland #",
        "# ships",
        "rice",
        "u.s",
        "rice u.s",
        "t:norland",
        "t:#",
        "t:ships",
    ]
