"""Bricks of Block Kit that foreign text cannot break.

Foreign words (headlines, outlets, names, what a user typed) stand in rich text and plain text only, where Slack parses nothing.
Besides, no word leaves here with a control sequence in it, so that a client, an export or a bot that reads the message as mrkdwn
after all finds no mention, no false link and no formatting either.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from bot.domain.moments import utc
from bot.domain.text import cut

Brick = dict[str, Any]  # a block or an element of one, as Slack's JSON has it

MAX_BLOCKS = 50  # https://docs.slack.dev/reference/block-kit/blocks
MAX_HEADER = 150  # https://docs.slack.dev/reference/block-kit/blocks/header-block
MAX_TEXT_OBJECT = 3_000  # https://docs.slack.dev/reference/block-kit/composition-objects/text-object
MAX_TEXT = 4_000  # https://docs.slack.dev/reference/methods/chat.postMessage (recommended length of `text`)
MAX_SIZE = 12_000  # all blocks together; measured by Slack's users: https://github.com/slackapi/bolt-js/issues/2509
MAX_URL = 3_000  # https://docs.slack.dev/reference/block-kit/block-elements/button-element (the one stated limit of an address)

_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,40}")
_USER = re.compile(r"[UW][A-Z0-9]{1,40}")
_SPACE = re.compile(r"\s+")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # controls, bidi and zero width, surrogates, private, unassigned
_BLANK = dict.fromkeys(map(ord, "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"))  # letters and marks that show nothing
_OPENING = re.compile(
    r"<(?=\S)"
)  # `<!channel>`, `<@U1>`, `<#C1>`, `<http://…|…>`: https://docs.slack.dev/messaging/formatting-message-text
_BROADCAST = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_MARKS = str.maketrans({"*": "∗", "_": "＿", "~": "∼", "`": "ʹ", "<": "‹", ">": "›", "&": "&amp;"})
_DATE = "{date_short_pretty} at {time}"


def harmless(words: str, limit: int) -> str:
    """Return `words` as one visible line of at most `limit` characters that means nothing to Slack, for rich text and plain text."""
    line = unicodedata.normalize("NFC", words[: limit * 4]).translate(_BLANK)
    if not line.isprintable():  # rare, and true of every character in _UNSEEN
        line = "".join(c for c in line if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    line = _OPENING.sub("‹", cut(_SPACE.sub(" ", line).strip(), limit, "…"))
    return _BROADCAST.sub("＠", line)  # last: a cut may have made "@channel" of a longer word


def mrkdwn(words: str, limit: int) -> str:
    """Return `words` for mrkdwn, where they neither format nor link nor ping; at most `limit` characters after escaping."""
    line = harmless(words, limit).translate(_MARKS)
    while len(line) > limit:  # each & became five characters
        words = words[: len(words) * limit // len(line)]
        line = harmless(words, len(words)).translate(_MARKS)
    return line


def safe_url(url: str | None) -> str | None:
    """Return `url` with everything percent-encoded that could end a link; None unless it is a plain http(s) address of bearable length."""
    try:
        parts = urlsplit((url or "").strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
        rest = [quote(p, safe="/:?!$&'()*+,;=%-._~") for p in (parts.path, parts.query, parts.fragment)]
    except ValueError:  # a broken host or port, half a character (UnicodeError is a ValueError)
        return None
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.-]+", host) or "@" in parts.netloc:
        return None
    found = urlunsplit((parts.scheme, host + port, *rest))
    return found if len(found) <= MAX_URL else None


def text(words: str, limit: int = MAX_TEXT_OBJECT, *, style: str | None = None, after: str = "") -> list[Brick]:
    """Return the rich text element for foreign `words` and own words after them; none where nothing is left to see.

    `style` is bold, italic or code.
    """
    line = harmless(words, limit)
    return [own(f"{line}{after}", style=style)] if line else []


def own(words: str, *, style: str | None = None) -> Brick:
    """Return the rich text element for words of Attaché's own, or already harmless. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block"""
    return {"type": "text", "text": words, **({"style": {style: True}} if style else {})}


def link(words: str, url: str | None, limit: int, *, bold: bool = False) -> list[Brick]:
    """Return the link with foreign `words` on it; the words alone where the address cannot be linked."""
    address, line = safe_url(url), harmless(words, limit)
    if address is None:
        return text(words, limit, style="bold" if bold else None)
    return [{"type": "link", "url": address, "text": line or urlsplit(address).netloc, **({"style": {"bold": True}} if bold else {})}]


def is_channel(name: str) -> bool:
    """Say whether `name` is the id of a channel that can be mentioned."""
    return _CHANNEL.fullmatch(name) is not None


def channel(name: str) -> list[Brick]:
    """Return the mention of a channel, which pings nobody; one that has no name of its own is called what it is."""
    if is_channel(name):
        return [{"type": "channel", "channel_id": name}]
    return [own("a direct message" if name.startswith("D") else harmless(name, 40) or "a channel")]


def user(name: str) -> list[Brick]:
    """Return the mention of a user: only for a view, where nobody is pinged. Anything else is shown as text."""
    return [{"type": "user", "user_id": name}] if _USER.fullmatch(name) else text(name, 80)


def date(moment: datetime) -> Brick:
    """Return `moment` as the reader's zone shows it. https://docs.slack.dev/reference/block-kit/block-elements/date-element"""
    return {"type": "date", "timestamp": int(moment.timestamp()), "format": _DATE, "fallback": _fallback(moment)}


def date_mrkdwn(moment: datetime) -> str:
    """Return the same for mrkdwn. https://docs.slack.dev/messaging/formatting-message-text#date-formatting"""
    return f"<!date^{int(moment.timestamp())}^{_DATE}|{_fallback(moment)}>"


def _fallback(moment: datetime) -> str:
    return f"{utc(moment):%d %b %Y, %H:%M} UTC"


def section(elements: Iterable[Brick]) -> list[Brick]:
    """Return a rich text section; none without elements, which Slack refuses."""
    return [{"type": "rich_text_section", "elements": found}] if (found := list(elements)) else []


def lines(groups: Iterable[Sequence[Brick]]) -> list[Brick]:
    """Return the elements of all groups, each group on a line of its own."""
    found: list[Brick] = []
    for group in filter(None, groups):
        found += [own("\n"), *group] if found else group
    return found


def quoted(elements: Iterable[Brick]) -> list[Brick]:
    """Return a rich text quote; none without elements."""
    return [{"type": "rich_text_quote", "elements": found}] if (found := list(elements)) else []


def bullets(sections: Sequence[Brick]) -> list[Brick]:
    """Return a rich text list of sections; none without sections."""
    return [{"type": "rich_text_list", "style": "bullet", "elements": list(sections)}] if sections else []


def rich(parts: Iterable[Brick]) -> list[Brick]:
    """Return a rich text block; none without parts."""
    return [{"type": "rich_text", "elements": found}] if (found := list(parts)) else []


def header(words: str) -> Brick:
    """Return a header of at most MAX_HEADER characters; its `:smile:` stays as typed."""
    return {"type": "header", "text": {"type": "plain_text", "text": harmless(words, MAX_HEADER) or "Attaché", "emoji": False}}


def actions(elements: Sequence[Brick]) -> list[Brick]:
    """Return a block of buttons; none without any. https://docs.slack.dev/reference/block-kit/blocks/actions-block"""
    return [{"type": "actions", "elements": list(elements)}] if elements else []


def button(words: str, action: str, value: str, *, style: str | None = None, confirm: Brick | None = None) -> Brick:
    """Return a button that comes back as `action` with `value`. https://docs.slack.dev/reference/block-kit/block-elements/button-element"""
    found: Brick = {"type": "button", "text": {"type": "plain_text", "text": words, "emoji": False}, "action_id": action, "value": value}
    return found | ({"style": style} if style else {}) | ({"confirm": confirm} if confirm else {})


def confirmed(title: str, words: str, yes: str) -> Brick:
    """Return the question before a button does its work. https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object"""
    plain = {"title": title, "text": words, "confirm": yes, "deny": "Cancel"}
    return {name: {"type": "plain_text", "text": said, "emoji": False} for name, said in plain.items()}


def context(words: str) -> Brick:
    """Return a small grey line of mrkdwn that the caller has made safe. https://docs.slack.dev/reference/block-kit/blocks/context-block"""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]}


def context_plain(words: str) -> Brick:
    """Return a small grey line of harmless words."""
    return {"type": "context", "elements": [{"type": "plain_text", "text": words, "emoji": False}]}


def size(blocks: Sequence[Brick]) -> int:
    """Return the characters that `blocks` take as JSON: never less than what Slack counts against MAX_SIZE."""
    return len(json.dumps(blocks, ensure_ascii=False))
