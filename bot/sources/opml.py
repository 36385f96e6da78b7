"""OPML 1 and 2, http://opml.org/spec2.opml: the lists of feeds that feed readers give and take. Bytes in, sources out, and back; nothing is fetched here.

Everything before the root element is cut away and every ampersand that begins no plain reference is escaped, so a DOCTYPE or an entity
never reaches the parser. The parser is strict all the same: a list that is half read would lose sources without a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from bot.domain.entries import Kind, Source
from bot.domain.errors import SourceError
from bot.domain.text import cut, plain
from bot.sources.addresses import Policy, check_url
from bot.sources.decoding import decoded
from bot.sources.faults import Fault, fault
from bot.sources.markup import overloaded

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_OUTLINES: Final = 5_000
MAX_NAME: Final = 200  # characters, as in sources.yaml
GROUPS: Final = ("official", "press", "api")
NAMESPACE: Final = "urn:attache:sources"  # what OPML has no attribute of its own for: its section on extending asks for a namespace

_TAGS = 4 * MAX_OUTLINES  # each outline may be opened and closed, and a head stands before them
_MAX_LABEL = 500  # characters of a category or a folder's name that are looked at
_MAX_INTERVAL = 86_400
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?opml[\s>]", re.IGNORECASE)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_AMPERSAND = re.compile(r"&(?:(?P<named>amp|lt|gt|quot|apos);|#(?:[xX](?P<hex>[0-9a-fA-F]{1,6})|(?P<decimal>[0-9]{1,7}));)?")
_BETWEEN = re.compile(r"[,/]")
# A source's own network may be allowed where the list is used: that is judged whenever it is fetched.
_ANYWHERE = Policy(allow_private=True)


def read_opml(text: bytes, report: Callable[[str], None] = lambda _: None) -> list[Source]:
    """Return the feeds that an OPML document lists, in its order, folders opened. `report` gets a line per outline that is skipped for its address.

    A name is the outline's `text` or `title`, else its host, and made unique with a number; an address that is listed twice is taken
    once. The group is its `category`'s or its nearest folder's, where that is one of GROUPS. Raises SourceError for more than
    MAX_BYTES or MAX_OUTLINES, and for what is no OPML.
    """
    names: Counter[str] = Counter()
    found: dict[str, Source] = {}
    for values, group in _outlines(_root(text)):
        try:
            url, host = _address(values.get("xmlurl", ""))
        except SourceError as error:
            report(f"{_name(values, '') or 'an outline'}: {error}")
            continue
        if url not in found:
            found[url] = _source(_unique(_name(values, host), names), url, values, group)
    return list(found.values())


def _root(text: bytes) -> Any:  # noqa: ANN401  lxml ships no types
    if len(text) > MAX_BYTES:
        raise fault(Fault.TOO_BIG, f"the OPML is longer than {MAX_BYTES / 1024 / 1024:g} MB")
    written = _fit(_ILLEGAL.sub("", decoded(text)))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(written.encode("utf-8"), parser)
    except (etree.LxmlError, ValueError) as error:
        raise fault(Fault.BROKEN, f"the OPML cannot be parsed: {error}") from error


def _fit(text: str) -> str:
    """Return the text from the root element on, with as many lines before it as there were, so that errors name the right one."""
    root = _ROOT.search(text)
    if root is None:
        raise fault(Fault.NOT_A_FEED, f"this is no OPML; it begins with {text[:40]!r}" if text.strip() else "the file is empty")
    before, after = text[: root.start()], text[root.start() :]
    if (excess := overloaded(after, _TAGS)) is not None:
        raise fault(Fault.TOO_BIG, f"{excess}: more than {MAX_OUTLINES} outlines could need")
    return "\n" * before.count("\n") + _AMPERSAND.sub(_plain_reference, after)


def _plain_reference(found: re.Match[str]) -> str:
    """Return a reference that XML knows without a DTD as it is; any other ampersand as a mere character."""
    digits = found["hex"] or found["decimal"]
    code = int(digits, 16 if found["hex"] else 10) if digits else 0
    legal = 0 < code <= 0x10FFFF and not _ILLEGAL.match(chr(code))
    return found[0] if found["named"] or legal else "&amp;" + found[0][1:]


def _outlines(root: Any) -> Iterator[tuple[dict[str, str], str | None]]:  # noqa: ANN401  lxml ships no types
    """Give the attributes and the group of each outline that stands for a feed. Raises SourceError for too many outlines of any sort."""
    groups: dict[Any, str | None] = {}  # of every outline so far: a folder comes before what lies in it
    for number, outline in enumerate(root.iter("{*}outline"), 1):
        if number > MAX_OUTLINES:
            raise fault(Fault.TOO_BIG, f"more than {MAX_OUTLINES} outlines")
        values = _values(outline)
        is_feed = "xmlurl" in values
        labels = [values.get("category", ""), "" if is_feed else values.get("text") or values.get("title", "")]
        groups[outline] = _group(labels) or groups.get(outline.getparent())
        if is_feed:
            yield values, groups[outline]


def _values(outline: Any) -> dict[str, str]:  # noqa: ANN401  lxml ships no types
    """Return the attributes by their names in lower case: programs write xmlUrl, xmlurl and xmlURL."""
    return {name.lower(): value for name, value in outline.attrib.items()}


def _address(url: str) -> tuple[str, str]:
    """Return an address as sources.yaml takes it, and its host. Raises SourceError("address") for one that is never fetched."""
    scheme, colon, rest = url.strip().partition(":")
    url = f"{scheme.lower()}{colon}{rest}"
    try:
        check_url(url, _ANYWHERE)
        return url, urlsplit(url).hostname or ""
    except ValueError as error:  # a host like xn--0, which cannot even be shown
        raise fault(Fault.ADDRESS, f"{url[:80]!r} is not a proper web address") from error


def _name(values: Mapping[str, str], host: str) -> str:
    named = (plain(values.get(key), MAX_NAME) for key in ("text", "title"))
    return next(filter(None, named), host[:MAX_NAME])


def _unique(name: str, names: Counter[str]) -> str:
    """Return `name`, with a number behind it if it was given away before."""
    given = name
    while given in names:
        names[name] += 1
        tail = f" ({names[name]})"
        given = cut(name, MAX_NAME - len(tail)) + tail
    names[given] = 1
    return given


def _group(labels: Iterable[str]) -> str | None:
    words = (word.strip().casefold() for label in labels for word in _BETWEEN.split(label[:_MAX_LABEL]))
    return next((word for word in words if word in GROUPS), None)


def _source(name: str, url: str, values: Mapping[str, str], group: str | None) -> Source:
    language = plain(values.get("language"), 40)
    return Source(
        name=name,
        url=url,
        interval=_interval(values.get(f"{{{NAMESPACE}}}interval", "")),
        country=plain(values.get(f"{{{NAMESPACE}}}country"), 40) or None,
        language=None if language.casefold() in ("", "unknown") else language,
        group=group,
    )


def _interval(text: str) -> int | None:
    seconds = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
    return seconds if 1 <= seconds <= _MAX_INTERVAL else None


def write_opml(sources: Iterable[Source]) -> bytes:
    """Return an OPML 2.0 document of the feeds among `sources`, in their order; neighbours of one group share a folder of its name.

    Interval (seconds) and country go into attributes of our own namespace. Pages and GDELT's questions are left out: other programs
    would take them for feeds.
    """
    root = etree.Element("opml", version="2.0", nsmap={"attache": NAMESPACE})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Attaché's sources"
    body = etree.SubElement(root, "body")
    for group, members in groupby((s for s in sources if s.kind is Kind.FEED), key=lambda s: s.group):
        folder = etree.SubElement(body, "outline", text=_ILLEGAL.sub("", group)) if group else body
        for source in members:
            etree.SubElement(folder, "outline", _attributes(source))
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return written


def _attributes(source: Source) -> dict[str, str]:
    values = {
        "type": "rss",  # the spec's word for every feed, Atom too
        "text": source.name,
        "title": source.name,
        "xmlUrl": source.url,
        "language": source.language,
        f"{{{NAMESPACE}}}interval": str(source.interval) if source.interval else None,
        f"{{{NAMESPACE}}}country": source.country,
    }
    return {key: _ILLEGAL.sub("", value) for key, value in values.items() if value}
