"""The one place that knows what a secret looks like: log lines, errors and what libraries say go through here. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

STARS = "***"
SHORTEST_KNOWN = 6  # characters: a shorter secret would blank words that are none; in an address its place gives it away

# A secret never swallows what ends a word in JSON or a shell, so that a scrubbed line of JSON is still one.
_VALUE = r"[^\s\"'\\,;&<>(){}\[\]]+"
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # https://docs.slack.dev/authentication/tokens (xoxb-, xoxp-, xoxe-, xoxe.xoxp-, xapp-, xwfp-), also percent-encoded
    (re.compile(r"(?:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)(?:-|%2D)[\w.%-]+", re.IGNORECASE), STARS),
    # https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and the addresses that answer a command
    (re.compile(r"(hooks\.slack\.com/[a-z]+/)[\w/%-]+", re.IGNORECASE), rf"\1{STARS}"),
    # https://discord.com/developers/docs/resources/webhook, and the token by which an interaction is answered
    (re.compile(r"((?:webhooks|interactions)/\d+/)[\w.%-]{20,}", re.IGNORECASE), rf"\1{STARS}"),
    # https://discord.com/developers/docs/reference#authentication: three parts, of which the first is the bot's id
    (re.compile(r"(?<![\w-])[\w-]{23,}\.[\w-]{6,7}\.[\w-]{27,}"), STARS),
    # the password of an address, whatever it is made of: up to the last @ of the word
    (re.compile(r"(://[^\s:/?#@\"']*:)\S{0,1000}@"), rf"\1{STARS}@"),
    # Authorization headers, also in the repr of a mapping; a scheme without the header too
    (re.compile(rf"(authorization[\"'\\]*\s*[:=,]\s*[\"'\\]*(?:(?:bearer|bot|basic|token)\s+)?){_VALUE}", re.IGNORECASE), rf"\1{STARS}"),
    (re.compile(r"\b((?:bearer|basic)\s+)[\w.~+/%-]{8,}=*", re.IGNORECASE), rf"\1{STARS}"),
    # settings, parameters of an address and the repr of a mapping
    (
        re.compile(
            rf"((?:token|ticket|secret|password|passwd|api_?key|access_?key|signature)[\"'\\]*\s*[:=]\s*[\"'\\]*){_VALUE}", re.IGNORECASE
        ),
        rf"\1{STARS}",
    ),
)
_NAMED = re.compile(r"token|secret|passw|authorization|cookie|ticket|api_?key|database_url", re.IGNORECASE)


def scrubbed(text: str) -> str:
    """Return `text` with stars in the place of everything that has the shape of a secret."""
    for shape, stars in _SHAPES:
        text = shape.sub(stars, text)
    return text


class Scrubber:
    """Takes out what has the shape of a secret, and the secrets that this process knows, whatever their shape."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        longest_first = sorted({k for k in known if len(k) >= SHORTEST_KNOWN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Return `text` without secrets."""
        if self._known is not None:
            text = self._known.sub(STARS, text)
        return scrubbed(text)

    def value(self, value: object, name: str = "") -> object:
        """Return a value of a log line without secrets, in plain types all the way down; stars where its name says that it is one."""
        if isinstance(value, str | bytes) and _NAMED.search(name):
            return STARS
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(key): self.value(inner, str(key)) for key, inner in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self.value(inner, name) for inner in value]
        return value if value is None or isinstance(value, bool | int | float) else self.text(str(value))
