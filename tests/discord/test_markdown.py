"""Nothing that comes from outside can ping, link or format."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.discord.markdown import address, clean, escape, fitted, joined, link, size

LURES = ["@everyone", "@here", "<@1>", "<@&2>", "<#3>", "</x:4>", "<t:5:R>", "<a:b:6>", "[x](https://evil.example)", "https://evil.example"]
MARKS = ["`", "```", "**", "__", "~~", "||", "> ", "# ", "- ", "1. ", "\\", "[", "]", "(", ")"]
ODD = ["\u202e", "\u200b", "\u2066", "\ufeff", "\n", "\u3164", "😀", "é", "a b"]
NASTY = st.sampled_from([*LURES, *MARKS, *ODD])
HOSTILE = st.lists(NASTY | st.text(max_size=8), max_size=12).map("".join)
STEADY = settings(deadline=None, derandomize=True)  # the same examples on every machine, however busy
BARE = re.compile(r"(?<!\\)(?:\\\\)*[*_~`|<>\[\]]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@everyone look", "＠everyone look"),
        ("<@123> and <#45>", r"\<\@123\> and \<\#45\>"),
        ("[free](https://evil.example)", r"\[free\](https:\//evil.example)"),
        ("a `b` *c* _d_ ~e~ |f|", r"a \`b\` \*c\* \_d\_ \~e\~ \|f\|"),
        ("# Heading", r"\# Heading"),
        ("1. First", r"1\. First"),
        ("> quoted", r"\> quoted"),
        ("a\u202eb\u200bc\nd", "abc d"),
        ("India, U.S. agree: 5% (at most)", "India, U.S. agree: 5% (at most)"),
    ],
)
def test_marks_are_shown_as_themselves(text: str, shown: str) -> None:
    assert escape(text) == shown


@STEADY
@given(HOSTILE)
def test_escaped_text_has_no_bare_mark_mention_or_address(text: str) -> None:
    escaped = escape(text)
    assert not BARE.search(escaped)
    assert not re.search(r"<[@#/:]|<\w+:[^\\>]*>|@everyone|@here|[a-z]+://", escaped, re.IGNORECASE)
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u3164\n\r]", escaped)
    assert not re.match(r"[#>+-]|\d+\.\s", escaped)


@STEADY
@given(HOSTILE)
def test_escaping_keeps_the_letters(text: str) -> None:
    unescaped = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", escape(text))
    assert unescaped == clean(text)


@STEADY
@given(HOSTILE, st.integers(2, 60))
def test_fitted_text_is_never_too_long_and_tears_no_escape(text: str, limit: int) -> None:
    short = fitted(text, limit)
    assert size(short) <= limit
    assert not BARE.search(short)
    assert (len(short) - len(short.rstrip("\\"))) % 2 == 0


def test_text_that_fits_is_left_whole() -> None:
    assert fitted("Ministers meet in Port Amber", 28) == "Ministers meet in Port Amber"
    assert fitted("Ministers meet in Port Amber", 20) == "Ministers meet in…"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
        ("https://a.example/x (1).html", "https://a.example/x%20%281%29.html"),
        ("http://a.example:8080/@everyone", "http://a.example:8080/%40everyone"),
        ("https://a.example/<b>`c`|d|", "https://a.example/%3Cb%3E%60c%60%7Cd%7C"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://a.example/%41", "https://a.example/%41"),
    ],
)
def test_an_address_is_percent_encoded(url: str, target: str) -> None:
    assert address(url) == target


@pytest.mark.parametrize(
    "url",
    ["", None, "javascript:alert(1)", "ftp://a.example/", "discord://-/x", "https://good.example@evil.example/", "https://", "https://a.example:x/",
     "https://[::1]/", "https://a b.example/", "//a.example", "https://" + "a" * 70 + ".example/", "https://a.example/" + "x" * 2048],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_not_linked(url: str | None) -> None:
    assert address(url) is None
    assert link("Label", url, limit=20) == "Label"


@STEADY
@given(HOSTILE, st.text(max_size=30))
def test_a_link_has_one_label_and_one_target(text: str, path: str) -> None:
    made = link(text, f"https://a.example/{path}", limit=80)
    assert not clean(text) or re.fullmatch(r"\[[^\[\]]+\]\(https://a\.example/[^\s()<>\[\]@`|*\\\"']*\)", made)


def test_items_are_left_out_whole_and_counted() -> None:
    assert joined(["aaaa", "bbbb", "cccc"], 100) == "aaaa · bbbb · cccc"
    assert joined(["aaaa"] * 10, 24) == "aaaa · … and 9 more"
    assert joined(["aaaa", "bbbb"], 3) == ""
