"""Plain text: what every entry's words pass through once, and how text is cut for a reader.

Everything here is pure. Text from outside is hostile and dirty: markup, publisher suffixes, bidirectional
controls, zero-width characters, half a sentence at the end. What leaves these functions is NFC, one line,
whole words.
"""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import filterfalse

MAX_TEXT = 4_000

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_HIDDEN = re.compile(r"<(?P<kind>!--|script\b|style\b)", re.IGNORECASE)  # opens what is no text, up to its own end
_ENDS = {
    "!--": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
_BLOCK = re.compile(r"</?(?:p|br|div|li|ul|ol|h[1-6]|tr|td|blockquote)\b[^<>]*>", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_BREAKS = dict.fromkeys(map(ord, "\n\r\t\v\f\u2028\u2029\x85"), " ")
_TAIL = re.compile(
    r"\s*(?:\[(?:…|\.\.\.|&#8230;)\]|(?:Continue reading|Read more|Read full (?:story|article)|Click here)\b.{0,80}?"
    r"|The post .{1,200} appeared first on .{1,100}?)\s*(?:\.{3}|…|»|→)?\s*$",
    re.IGNORECASE,
)
_TAIL_LENGTH = 500  # more than _TAIL can match
_SUFFIX = re.compile(r"^(?P<title>.{12,}\S)\s+(?:[-–—|])\s+(?P<publisher>[^-–—|]{2,45})$")
_PUBLISHER_WORD = re.compile(
    r"\b(?:news|times|post|express|today|herald|tribune|guardian|journal|standard|mint|hindu|chronicle|mail|telegraph"
    r"|reuters|bloomberg|bbc|cnn|cnbc|ndtv|ani|pti|wion|ft|ap|afp|dw|zee|aaj|abp|msn|yahoo|firstpost|swarajya|print"
    r"|wire|quint|observer|review|gazette|monitor|economist|politico|axios|wsj|sun|independent|mirror|globe|star|daily"
    r"|week|line|live|tv|world|business|insider|international|india|network|agency|media|com|org|net|in|co)\b",
    re.IGNORECASE,
)
_LIVE = re.compile(r"live(?: updates| blog| coverage)?", re.IGNORECASE)  # says what the entry is, not whose
# A sentence ends at . ! ? (and closing quotes) before a space and a capital, digit or quote.
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*(?P<space>\s+)(?=[\"'“‘(\[]?[A-Z0-9À-ÖØ-Þ])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Gen|Col|Lt|Sgt|Capt|Gov|Sen|Rep|Rev|Hon|Pres|No|vs|etc|Inc|Ltd|Co|Corp|Jan|Feb|Mar"
    r"|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|approx|e\.g|i\.e|a\.m|p\.m)|(?:\b[A-Z]\.)*\b[A-Z])\.[\"'”’)\]]*\s*$"
)


def plain(text: str | None, limit: int = MAX_TEXT) -> str:
    """Return `text` without markup and control characters: one line, NFC, whole words, at most `limit` characters."""
    if not text:
        return ""
    text = text[: limit * 8]
    if "<" in text or "&" in text:
        text = html.unescape(_untagged(html.unescape(_untagged(text))))  # twice: feeds escape their markup, some of them inside markup
    text = text.translate(_BREAKS)
    if not text.isprintable():  # rare, and true of everything that does not show
        text = "".join(filter(_visible, text))
    return cut(_SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip(), limit)


def _untagged(text: str) -> str:
    return _TAG.sub("", _BLOCK.sub(" ", _unhidden(text)))


def _unhidden(text: str) -> str:
    """Return `text` without comments, scripts and styles, in linear time: where one kind has no end any more, none is looked for again."""
    kept, at, endless = list[str](), 0, set[str]()
    for opening in _HIDDEN.finditer(text):
        kind = opening["kind"].lower()
        if opening.start() < at or kind in endless:
            continue
        if (end := _ENDS[kind].search(text, opening.end())) is None:
            endless.add(kind)
            continue
        kept.append(text[at : opening.start()])
        at = end.end()
    return "".join([*kept, text[at:]])


def _visible(char: str) -> bool:
    """Say whether a character may stay: no controls, no format characters (bidi, zero width), no surrogates."""
    return (char < "\x7f" and char >= " ") or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def cut(text: str, limit: int, mark: str = "") -> str:
    """Return `text` cut at a word's end so that it, with `mark` after it, has at most `limit` characters."""
    if len(text) <= limit:
        return text
    room = max(limit - len(mark), 0)
    head = text[: room + 1]
    space = head.rfind(" ")
    head = head[:space] if space > room // 2 else text[:room]
    return head.rstrip(" ,;:-–—") + mark


def cut_at_sentence(text: str, limit: int) -> str:
    """Return the whole sentences of `text` that fit into `limit` characters; if the first does not fit, cut it at a word with an ellipsis."""
    if len(text) <= limit:
        return text
    kept = ""
    for sentence in sentences(text):
        longer = f"{kept} {sentence}".strip()
        if len(longer) > limit:
            break
        kept = longer
    return kept or cut(text, limit, "…")


def sentences(text: str) -> list[str]:
    """Return the sentences of plain `text`, in order; joined with a space they give the text again, white space aside."""
    found: list[str] = []
    gaps = [m.span("space") for m in _END.finditer(text)]
    for start, end in zip([0, *(g[1] for g in gaps)], [*(g[0] for g in gaps), len(text)], strict=True):
        part = text[start:end].strip()
        if not part:
            continue
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found


def without_tail(text: str) -> str:
    """Return `text` without the feed's own last words ("Continue reading…", "[…]", "The post … appeared first on …")."""
    shorter = text[:-_TAIL_LENGTH] + _TAIL.sub("", text[-_TAIL_LENGTH:])
    return shorter.strip()


def split_publisher(title: str, source_name: str = "") -> tuple[str, str | None]:
    """Return the title without the publisher that aggregators put behind it, and that publisher.

    "Ministers meet in Geneva - The Example Times" gives ("Ministers meet in Geneva", "The Example Times"). The tail is only
    taken for a publisher when it reads like one: a known word of the trade, the source's own name, or a domain. Several tails
    ("… | World News - The Example Times") are all cut, the last one is the publisher: what is cut once has nothing left to cut.
    """
    publisher = None
    while (match := _SUFFIX.match(title)) and _is_publisher(match["publisher"].strip(), source_name):
        publisher, title = publisher or match["publisher"].strip(), match["title"].strip()
    return title, publisher


def _is_publisher(tail: str, source_name: str) -> bool:
    if _LIVE.fullmatch(tail):
        return False
    own = bool(source_name) and tail.casefold() in source_name.casefold()
    named = tail[:1].isupper() and len(tail.split()) <= 6 and _PUBLISHER_WORD.search(tail)
    return bool(own or named or re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", tail))


def fold(text: str) -> str:
    """Return `text` for comparing: NFKC, no accents, casefolded, one space between words."""
    if text.isascii():
        return _SPACE.sub(" ", text.lower()).strip()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return _SPACE.sub(" ", "".join(filterfalse(unicodedata.combining, decomposed))).strip()
