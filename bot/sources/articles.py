"""The text of an article, where its publisher lets us have it: robots.txt is obeyed, walls of consent or challenge are no text."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import trafilatura

from bot.domain.text import cut, fold, plain
from bot.sources.decoding import decoded
from bot.sources.fetching import Document, Fetcher
from bot.sources.markup import bare, unfit
from bot.sources.robots import Robots
from bot.sources.workers import Workers

MIN_TEXT = 200  # characters; less is a teaser, a caption or a notice
SHORT = 1_500  # a text shorter than this that has a wall's words in it is the wall
MAX_TEXT = 20_000

_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,300})", re.IGNORECASE)
_GATE_HOST = re.compile(r"^(?:consent|guce|login|signin|auth|accounts?|sso|captcha|challenge|validate)\.")
_GATE_PATH = re.compile(
    r"/(?:consent|login|signin|sign-in|captcha|challenge|paywall|subscribe|cookie-?wall|collectconsent)\b", re.IGNORECASE
)
_FRONT = re.compile(r"^(?:www\d?|m|mobile|amp|edition)\.")
_WALL_TITLE = re.compile(
    r"^(?:just a moment|attention required|access (?:to this page has been )?denied|are you a (?:robot|human)|robot check|security check"
    r"|verif(?:y|ying) (?:you|your)|before you continue|please wait|one more step|403 forbidden|privacy (?:settings|gate)|consent)"
)
_WALL = re.compile(
    r"(?:enable|turn on|requires?) (?:javascript|js\b|cookies)|checking (?:if the site connection|your browser)|(?:are|that) you(?: are| re|'re|’re)? (?:not )?"
    r"(?:a )?(?:robot|human)|unusual (?:traffic|activity)|complete the (?:captcha|security check)|before you continue|(?:accept|consent to) (?:all )?"
    r"(?:the use of )?cookies|we (?:and our partners )?(?:use|value|store) (?:cookies|your privacy)|manage (?:your )?(?:cookie|privacy|consent)"
    r"|to (?:continue|keep|finish) reading|(?:subscribe|sign in|log in|register) (?:now )?to (?:continue|read|unlock|access)|already a subscriber"
    r"|access denied|you (?:do not|don't|don’t) have permission|disable your ad ?blocker"
)


class ArticleReader:
    """Reads article pages. Does not render scripts, sends no cookies, and says None rather than half a text."""

    def __init__(self, fetcher: Fetcher, workers: Workers, *, agent: str, limit: int) -> None:
        self._fetcher = fetcher
        self._workers = workers
        self._limit = limit
        self._robots = Robots(fetcher, workers, agent)

    async def text(self, url: str, now: datetime) -> str | None:
        """Return the main text at `url`, a line per paragraph, plain, at most MAX_TEXT characters; None when nothing honest is to be had.

        Raises nothing but cancellation; never blocks the event loop; bounded in time and memory.
        """
        try:
            if not await self._robots.allow(url, now):
                return None
            async with AsyncExitStack() as held:
                fetched = await self._fetcher.fetch(url, etag=None, modified=None, now=now, held=held)
                document = fetched.document
                if document is None or not is_article(url, document) or not await self._robots.allow(document.url, now):
                    return None
                return await self._workers.run(partial(main_text, document, self._limit))
        except Exception:  # SourceError, and whatever a library may raise: there is no text then
            return None


def is_article(asked: str, document: Document) -> bool:
    """Say whether what came can be the article that was asked for: a page, of the same site, and no gate in front of it."""
    kind = document.content_type.split(";")[0].strip().lower()
    if kind and kind not in ("text/html", "application/xhtml+xml"):
        return False
    before, after = urlsplit(asked), urlsplit(document.url)
    if _site(before.hostname) != _site(after.hostname) or _GATE_HOST.match(after.hostname or ""):
        return False
    moved = before.path != after.path
    return not (moved and (_GATE_PATH.search(after.path) or after.path in ("", "/")))


def _site(host: str | None) -> str:
    """Return what the hosts of one publisher share: the last two labels, three before a country (example.co.uk); an address whole."""
    name = _FRONT.sub("", (host or "").lower())
    labels = name.split(".")
    if not labels[-1].isalpha():
        return name
    return ".".join(labels[-3 if len(labels[-1]) == 2 and len(labels[-2:][0]) <= 3 else -2 :])


def main_text(document: Document, limit: int) -> str | None:
    """Return the main text of a page, or None when there is none or it is a wall's."""
    page = decoded(document.body, document.content_type)
    title = _TITLE.search(page)
    if len(page) > limit or (title and _WALL_TITLE.match(fold(plain(title[1])))):
        return None
    page = bare(page)
    return None if unfit(page) else _honest(_extracted(page))


def _extracted(page: str) -> str:
    try:
        found = trafilatura.extract(page, include_comments=False, include_tables=False, favor_precision=True, fast=True)
    except Exception:  # a page that no parser can make sense of has no text for us
        return ""
    lines = (plain(line, MAX_TEXT) for line in (found or "").splitlines())
    return "\n".join(filter(None, lines))


def _honest(text: str) -> str | None:
    """Return as many lines of `text` as are wanted, or None for one that is too short to be an article, or a wall's."""
    if len(text) < MIN_TEXT or (len(text) < SHORT and _WALL.search(fold(text))):
        return None
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT].rpartition("\n")[0] or cut(text, MAX_TEXT)
    return text
