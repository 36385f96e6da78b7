"""What can be wrong with a source: the short stable words that tables show, and the one way to raise them."""

from __future__ import annotations

from enum import StrEnum

from bot.domain.errors import SourceError


class Fault(StrEnum):
    """The reasons of SourceError in this room. The detail beside it is for people."""

    ADDRESS = "address"  # an address that is not fetched: scheme, user info, a private or reserved host
    NO_HOST = "no-host"  # the name does not resolve
    UNREACHABLE = "unreachable"  # no connection
    TLS = "tls"  # the certificate or the handshake
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken-off"  # the connection ended, or spoke no HTTP
    REDIRECTS = "redirects"  # too many, or without a target
    REFUSED = "refused"  # 401, 403 and their kin
    NOT_FOUND = "not-found"
    GONE = "gone"  # 410: the publisher says it will not come back
    BUSY = "busy"  # 429, 503
    SERVER = "server"  # other 5xx
    STATUS = "status"  # any other status
    ENCODING = "encoding"  # a body that cannot be unpacked
    TOO_BIG = "too-big"
    EMPTY = "empty"
    HTML = "html"  # a web page where a feed should be
    NOT_A_FEED = "not-a-feed"
    BROKEN = "broken"  # a feed that nothing could be read of
    SELECTOR = "selector"  # the selectors of a page are wrong or find nothing
    API = "api"  # the API answered with words of its own
    INTERNAL = "internal"  # a mistake of ours or of a library


def fault(reason: Fault, detail: str, retry_after: float | None = None) -> SourceError:
    """Return the error to raise; `detail` is cut to one line of 300 characters. `retry_after` is in seconds."""
    line = " ".join(detail.split())
    return SourceError(str(reason), line if len(line) <= 300 else line[:299] + "…", retry_after)
