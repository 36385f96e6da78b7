"""Markup looked at before a parser sees it. The parsers behind this room are quadratic in a few things; here those are found in linear time."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

PAGE_TAGS: Final = 60_000

_TAG = re.compile(r"""<[A-Za-z](?:[^<>"']++|"[^"]*"|'[^']*')*+""")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_BETWEEN = re.compile(r"[\s/=]+")
_PREFIX = re.compile(r"\bxmlns:([^\s=]{1,100})")
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"<([A-Za-z_][\w:.-]*)")
_ELEMENT = re.compile(r"<(/?)([a-z][a-z0-9:-]{0,40})")
_SCRIPT = re.compile(r"<(?:script|style|noscript|svg)\b", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</(?:script|style|noscript|svg)\s*>", re.IGNORECASE)
_CLOSING_THEMSELVES = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "html", "head",
    "body", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option", "optgroup", "rp", "rt"
})  # fmt: skip
_DEPTH = 1_000
_LONG = 2_048  # a tag shorter than this cannot hold enough attributes to matter
_ATTRIBUTES = 256
_PREFIXES = 200


def overloaded(text: str, elements: int) -> str | None:
    """Return what there is too much of for a parser, or None: elements, attributes of one element, namespaces."""
    if text.count("<") > elements or text.count("&") > 2 * elements:
        return f"more than {elements} tags or twice as many entities"
    if any(_attributes(m[0]) > _ATTRIBUTES for m in _TAG.finditer(text) if len(m[0]) > _LONG):
        return "hundreds of attributes in one tag"
    if text.count("xmlns:") > _PREFIXES and len(set(_PREFIX.findall(text))) > _PREFIXES:
        return "hundreds of namespaces"
    return None


def _attributes(tag: str) -> int:
    return len(_BETWEEN.findall(_QUOTED.sub("", tag)))


def without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Return `text` without what lies between two marks, in linear time; what is opened and never closed goes to the end."""
    first, *rest = opening.split(text)
    kept = [first]
    for part in rest:
        _, *after = closing.split(part, maxsplit=1)
        kept += after
    return " ".join(kept)


def bare(page: str) -> str:
    """Return a web page without its scripts, styles and drawings."""
    return without(page, _SCRIPT, _SCRIPT_END)


def unfit(page: str) -> str | None:
    """Return what there is too much of in a bare page for a parser, or None: as for a feed, or elements inside one another."""
    return overloaded(page, PAGE_TAGS) or (f"more than {_DEPTH} elements inside one another" if _depth(page) > _DEPTH else None)


def _depth(page: str) -> int:
    """Return how many elements are open at once at most; those that close themselves aside."""
    opened: Counter[str] = Counter()
    depth = deepest = 0
    for slash, name in _ELEMENT.findall(page.lower()):
        if slash and opened[name]:
            opened[name] -= 1
            depth -= 1
        elif not slash and name not in _CLOSING_THEMSELVES:
            opened[name] += 1
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def first_tag(text: str) -> str:
    """Return the name of the first element in lower case; empty when the text begins with something else than declarations and a tag."""
    at = 0
    while (closing := _closing(text, at := _SPACE.match(text, at).end())) is not None:  # type: ignore[union-attr]  # _SPACE matches nothing, too
        end = text.find(closing, at)
        if end < 0:
            return ""
        at = end + len(closing)
    name = _NAME.match(text, at)
    return name[1].lower() if name else ""


def _closing(text: str, at: int) -> str | None:
    """Return what closes the declaration, comment or instruction at a place; None when there is none there."""
    if text.startswith("<!--", at):
        return "-->"
    if text.startswith("<?", at):
        return "?>"
    if not text.startswith("<!", at):
        return None
    return "]>" if "[" in text[at : text.find(">", at)] else ">"
