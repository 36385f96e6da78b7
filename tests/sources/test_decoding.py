"""Bytes to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.decoding import decoded
from tests.sources.kit import some

WORDS = "Ministère: accord signé à Łódź, «enfin»"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides(encoding: str) -> None:
    assert decoded(("<rss>" + WORDS).encode(encoding)) == "<rss>" + WORDS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_characters_without_a_mark_are_seen(encoding: str) -> None:
    assert decoded("<rss>accord</rss>".encode(encoding)) == "<rss>accord</rss>"


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("iso-8859-1", "accord signé"),
        ("windows-1251", "Переговоры"),
        ("gb2312", "部长会谈"),
        ("shift_jis", "貿易交渉"),
        ("iso-2022-jp", "貿易交渉"),
    ],
)
def test_the_declaration_counts_inside_or_in_the_header(encoding: str, words: str) -> None:
    inside = f"<?xml version='1.0' encoding='{encoding}'?><t>{words}</t>"
    assert decoded(inside.encode(encoding)) == inside
    assert decoded(f"<t>{words}</t>".encode(encoding), f"text/xml; charset={encoding}") == f"<t>{words}</t>"


def test_utf8_is_utf8_whatever_is_declared() -> None:
    text = f"<?xml version='1.0' encoding='iso-8859-1'?><t>{WORDS}</t>"
    assert decoded(text.encode(), "text/xml; charset=us-ascii") == text


def test_a_bad_byte_costs_one_character() -> None:
    assert decoded(WORDS.encode() + b"\xff end") == WORDS + "\ufffd end"


def test_old_windows_bytes_without_a_word_are_read_as_such() -> None:
    assert decoded("“signé”".encode("windows-1252")) == "“signé”"


@pytest.mark.parametrize("name", ["punycode", "idna", "utf-7", "rot13", "zlib", "no-such-thing", "unicode_escape"])
def test_odd_codecs_are_not_obeyed(name: str) -> None:
    assert "caf" in decoded(f"<?xml version='1.0' encoding='{name}'?>caf".encode() + b"\xe9")


@some
@given(st.binary(max_size=400), st.text(max_size=60))
def test_no_bytes_and_no_header_make_it_fail(body: bytes, header: str) -> None:
    text = decoded(body, header)
    assert text.encode("utf-8") is not None


@some
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00\x1b\ufeff")))
def test_utf8_comes_back_whole(text: str) -> None:
    assert decoded(text.encode()) == text
