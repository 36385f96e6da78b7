"""Content encodings, unpacked piece by piece: a bomb costs what has been read of it, not what it claims to hold.

httpx unpacks a whole network chunk at a time; 64 KiB of brotli can stand for gigabytes. Hence this.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types

from bot.sources.faults import Fault, fault

PIECE = 64 * 1024

_DOCUMENT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[?!a-zA-Z]|\{\s*\")")


class Unpacker(Protocol):
    """Unpacks one body."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` unpacks to, in pieces of about PIECE bytes; stop iterating to stop the work. Raises SourceError."""
        ...


class _Identity:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Claimed:
    """A body that is said to be packed. One that begins as a document does is not, whatever its server says."""

    def __init__(self, packed: Unpacker) -> None:
        self._packed = packed
        self._chosen: Unpacker | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._chosen is None:
            self._chosen = _Identity() if _DOCUMENT.match(data) else self._packed
        yield from self._chosen.feed(data)


class _Zlib:
    """gzip (also of several members) and deflate (with or without zlib's header, as servers differ)."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._inflate = zlib.decompressobj(window)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._pieces(data)
        except zlib.error as error:
            raise fault(Fault.ENCODING, f"the compressed body is damaged: {error}") from error

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate.eof:
                if self._window != GZIP or not data.startswith(b"\x1f\x8b"):
                    return  # padding behind the end
                self._inflate = zlib.decompressobj(self._window)
            piece = self._first(data) if not self._begun else self._inflate.decompress(data, PIECE)
            self._begun = True
            yield piece
            data = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _first(self, data: bytes) -> bytes:
        try:
            return self._inflate.decompress(data, PIECE)
        except zlib.error:
            if self._window != DEFLATE:
                raise
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inflate.decompress(data, PIECE)


class _Brotli:
    def __init__(self) -> None:
        self._inflate = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            if self._inflate.is_finished():
                return  # padding behind the end
            yield self._inflate.process(data, output_buffer_limit=PIECE)
            while not self._inflate.can_accept_more_data():
                yield self._inflate.process(b"", output_buffer_limit=PIECE)
        except brotli.error as error:
            raise fault(Fault.ENCODING, f"the compressed body is damaged: {error}") from error


GZIP = zlib.MAX_WBITS | 16
DEFLATE = zlib.MAX_WBITS


def unpacker(encoding: str | None) -> Unpacker:
    """Return the unpacker for a Content-Encoding header. Raises SourceError("encoding") for one that was not asked for."""
    match (encoding or "identity").strip().casefold():
        case "identity" | "":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Claimed(_Zlib(GZIP))
        case "deflate":
            return _Claimed(_Zlib(DEFLATE))
        case "br":
            return _Claimed(_Brotli())
        case other:
            raise fault(Fault.ENCODING, f"the body came in an encoding that was not asked for: {other[:40]!r}")
