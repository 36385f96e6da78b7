"""What the judge and the stories read of an entry: the same cleaning in training and at run time, so that neither sees what the other does not."""

from __future__ import annotations

import re
from itertools import pairwise

from bot.domain.text import fold, plain, split_publisher, without_tail

MAX_TOKENS = 96
MAX_SUMMARY = 600
_WORD = re.compile(r"[a-z0-9][a-z0-9&'’.-]*[a-z0-9]|[a-z0-9]")
_NUMBER = re.compile(r"\d")


def passage(title: str, summary: str | None) -> tuple[str, str]:
    """Return (title, summary) as the encoder reads them: plain, no publisher, no repeated title, summary at most MAX_SUMMARY characters."""
    head, _ = split_publisher(plain(title, 400))
    body = without_tail(plain(summary, MAX_SUMMARY))
    if fold(body).startswith(fold(head)) and not body[len(head) : len(head) + 1].isalnum():
        body = body[len(head) :].lstrip(" .:-–—|") if len(body) > len(head) + 20 else ""
    return head, body


def ngrams(title: str, summary: str) -> list[str]:
    """Return the words and pairs of words of a passage: those of the title marked with `t:`, all of them unmarked; numbers as `#`."""
    grams: list[str] = []
    in_title, in_body = _words(title), _words(summary)
    for words in (in_title, in_body):
        grams += words
        grams += [f"{a} {b}" for a, b in pairwise(words)]
    grams += [f"t:{w}" for w in in_title]
    return grams


def _words(text: str) -> list[str]:
    return ["#" if _NUMBER.match(w) else w.removesuffix("'s").removesuffix("’s") for w in _WORD.findall(fold(text))]
