"""What FakeDiscord answers with, and what befalls a message post."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from aiohttp import web

from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_payloads import Json


class Failure(Enum):
    """What may befall a message post."""

    RATE_LIMIT = auto()  # 429 as Discord's API sends it
    GLOBAL_RATE_LIMIT = auto()  # 429 for the whole bot
    BANNED = auto()  # 429 as Cloudflare sends it: HTML, no Via
    SERVER_ERROR = auto()  # 500: discord.py tries again by itself
    UNAVAILABLE = auto()  # 503: discord.py does not
    FORBIDDEN = auto()
    UNAUTHORIZED = auto()
    DROP = auto()  # the connection breaks before the message is taken
    DROP_AFTER = auto()  # the message is taken, the answer never comes
    HANG = auto()  # nothing comes back


@dataclass
class Typed:
    """A typed command or pressed button: its acknowledgement (None until it came), the seconds until then, and the message that answered it.

    `withdrawn`: the acknowledgement was taken back before the answer. `files` are the answer's, by name.
    """

    began: float
    event: Json
    acknowledgement: Json | None = None
    seconds: float = -1.0
    answer: Json | None = None
    answers: int = 0
    withdrawn: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        """Everything that the answer's embeds say."""
        embeds = (self.answer or {}).get("embeds", [])
        parts = [
            (e.get("title", ""), e.get("description", ""), *(f"{f['name']}\n{f['value']}" for f in e.get("fields", []))) for e in embeds
        ]
        return "\n".join(itertools.chain.from_iterable(parts))

    @property
    def ephemeral(self) -> bool:
        """Whether only its author sees the answer: Discord takes that from the acknowledgement, while it stands."""
        if self.withdrawn:
            return bool((self.answer or {}).get("flags", 0) & payloads.EPHEMERAL)
        return bool(((self.acknowledgement or {}).get("data") or {}).get("flags", 0) & payloads.EPHEMERAL)


@dataclass(frozen=True, kw_only=True)
class Post:
    """One attempt to post a message."""

    channel: str
    body: Json


@dataclass(frozen=True, kw_only=True)
class Request:
    """What came in, for a look at its form: `path` with names in the place of ids, as Discord's OpenAPI description writes it."""

    method: str
    path: str
    body: object


async def read(request: web.Request) -> tuple[Json, dict[str, bytes]]:
    """Return a message's body and its files by name: JSON alone, or JSON and files as multipart/form-data.

    https://discord.com/developers/docs/reference#uploading-files
    """
    if not request.content_type.startswith("multipart/"):
        return await request.json(), {}
    form = await request.post()
    files = {key: part for key, part in form.items() if isinstance(part, web.FileField)}
    body: Json = json.loads(str(form["payload_json"]))
    described = {f"files[{a['id']}]": a for a in body.get("attachments", [])}
    if set(described) != set(files) or any(described[key]["filename"] != part.filename for key, part in files.items()):
        raise web.HTTPBadRequest(text="attachments and files differ")
    return body, {part.filename: part.file.read() for part in files.values()}


def answer(data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    # exactly this type: with a charset behind it discord.py takes the body for text
    return web.Response(status=status, body=json.dumps(data).encode(), headers={"Content-Type": "application/json", **(headers or {})})


def error(status: int, code: int, message: str) -> web.Response:
    """Return an error as Discord words it."""
    return answer({"message": message, "code": code}, status=status)


def rate_limited(seconds: float, *, everywhere: bool) -> web.Response:
    """Return a 429 as Discord's API sends it."""
    headers = {"Retry-After": f"{seconds:g}", "Via": "1.1 google"} | ({"X-RateLimit-Global": "true"} if everywhere else {})
    return answer({"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}, status=429, headers=headers)


def hang_up(request: web.Request) -> web.Response:
    """Break the connection under the request."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)
