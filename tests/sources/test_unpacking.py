"""Content encodings, unpacked within bounds."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.unpacking import PIECE, unpacker
from tests.sources.kit import some

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


def unpacked(encoding: str, body: bytes, step: int) -> bytes:
    parts = unpacker(encoding)
    return b"".join(piece for i in range(0, len(body), step) for piece in parts.feed(body[i : i + step]))


@pytest.mark.parametrize("encoding", PACKED)
@some
@given(body=st.binary(max_size=500), step=st.integers(1, 64))
def test_whatever_is_packed_comes_out_again_in_whatever_steps(encoding: str, body: bytes, step: int) -> None:
    assert unpacked(encoding, PACKED[encoding](body), step) == body


def test_deflate_without_its_header_and_gzip_of_two_members_are_read() -> None:
    raw = zlib.compressobj(wbits=-15)
    assert unpacked("deflate", raw.compress(b"news") + raw.flush(), 100) == b"news"
    assert unpacked("gzip", gzip.compress(b"ne") + gzip.compress(b"ws") + b"\0\0", 100) == b"news"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
@pytest.mark.parametrize("body", [b"<rss/>", b"\xef\xbb\xbf<?xml version='1.0'?><rss/>", b' { "version": 1}'])
def test_a_body_that_is_not_packed_though_its_server_says_so_is_read_as_it_is(encoding: str, body: bytes) -> None:
    assert unpacked(encoding, body, 100) == body


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_a_bomb_comes_in_pieces(encoding: str) -> None:
    pieces = unpacker(encoding).feed(PACKED[encoding](bytes(5_000_000)))
    assert all(len(piece) <= PIECE * 2 for _, piece in zip(range(20), pieces, strict=False))


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
@some
@given(body=st.binary(min_size=1, max_size=200))
def test_damaged_bodies_are_source_errors(encoding: str, body: bytes) -> None:
    reasons = []
    try:
        unpacked(encoding, body, 7)
    except SourceError as error:
        reasons.append(error.reason)
    assert reasons in ([], ["encoding"])


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^encoding: "):
        unpacker("zstd")
