"""What Discord refuses in the form of a request, as its documentation states the limits. Pure; knows nothing of Attaché.

Each function returns what is wrong, or None. Lengths are counted in UTF-16 units, the stricter way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

# https://discord.com/developers/docs/resources/message#embed-object-embed-limits
EMBED = {"title": 256, "description": 4096}
FOOTER, FIELDS, FIELD_NAME, FIELD_VALUE, EMBEDS_TOGETHER = 2048, 25, 256, 1024, 6000
# https://discord.com/developers/docs/resources/message#create-message
CONTENT, EMBEDS, NONCE, FILES = 2000, 10, 25, 10
# https://discord.com/developers/docs/resources/message#attachment-object
FILE_DESCRIPTION = 1024
# https://discord.com/developers/docs/components/reference#action-row and #button
ROWS, BUTTONS, CUSTOM_ID, LABEL = 5, 5, 100, 80
# https://discord.com/developers/docs/resources/channel#start-thread-from-message
THREAD_NAME, ARCHIVE_MINUTES = 100, (60, 1440, 4320, 10080)
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
COMMAND_NAME, COMMAND_DESCRIPTION, OPTIONS, CHOICES, CHOICE, COMMAND_TOGETHER = 32, 100, 25, 25, 100, 8000
_NAME = re.compile(r"[-_'\w]{1,32}")
_CONTEXT_MENUS = (2, 3)


def problem_with(body: Mapping[str, Any], *, edit: bool = False) -> str | None:
    """Say what is wrong with a message: one that is posted, or the changes of one that is edited."""
    embeds = body.get("embeds") or []
    shown = embeds or body.get("content") or body.get("attachments")
    return _first(
        (not shown and not edit, "Cannot send an empty message"),
        (size(body.get("content")) > CONTENT, "content"),
        (len(embeds) > EMBEDS, "embeds"),
        (len(str(body.get("nonce") or "")) > NONCE, "nonce"),
        (sum(map(_length, embeds)) > EMBEDS_TOGETHER, f"embeds exceed {EMBEDS_TOGETHER} characters"),
        *((problem is not None, problem) for problem in map(_problem_with_embed, embeds)),
        *_rows(body.get("components") or []),
        *_files(body),
    )


def problem_with_command(command: Mapping[str, Any]) -> str | None:
    """Say what is wrong with an application command."""
    if command.get("type") in _CONTEXT_MENUS:
        return None if 1 <= len(command["name"]) <= COMMAND_NAME else "name"
    return _problem_with_option(command, 0) or ("command over 8000 characters" if _weight(command) > COMMAND_TOGETHER else None)


def problem_with_choices(choices: Sequence[Mapping[str, Any]]) -> str | None:
    """Say what is wrong with choices, be they fixed or suggested."""
    return _first(
        (len(choices) > CHOICES, "too many choices"),
        *((not 1 <= size(str(c["name"])) <= CHOICE, f"choice {c['name']!r}") for c in choices),
        *((isinstance(c["value"], str) and not 1 <= size(c["value"]) <= CHOICE, f"value of {c['name']!r}") for c in choices),
    )


def problem_with_thread(body: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a thread that is started."""
    return _first(
        (not 1 <= size(body.get("name")) <= THREAD_NAME, "name"),
        (body.get("auto_archive_duration") not in (None, *ARCHIVE_MINUTES), "auto_archive_duration"),
    )


def size(text: str | None) -> int:
    """Return the length in UTF-16 units."""
    return len((text or "").encode("utf-16-le")) // 2


def _first(*checks: tuple[bool, str | None]) -> str | None:
    return next((problem for wrong, problem in checks if wrong), None)


def _problem_with_embed(embed: Json) -> str | None:
    fields = embed.get("fields", [])
    return _first(
        *((size(embed.get(part)) > longest, f"{part} over {longest}") for part, longest in EMBED.items()),
        (not (embed.get("url") or "http://").startswith(("http://", "https://")), "Scheme must be one of http, https"),
        (size((embed.get("footer") or {}).get("text")) > FOOTER, "footer"),
        (len(fields) > FIELDS, "fields"),
        *((not 0 < size(f["name"]) <= FIELD_NAME or not 0 < size(f["value"]) <= FIELD_VALUE, "fields") for f in fields),
    )


def _length(embed: Json) -> int:
    fields = sum(size(f["name"]) + size(f["value"]) for f in embed.get("fields", []))
    return size(embed.get("title")) + size(embed.get("description")) + size((embed.get("footer") or {}).get("text")) + fields


def _rows(rows: Sequence[Json]) -> Iterable[tuple[bool, str]]:
    buttons = [button for row in rows for button in row["components"]]
    ids = [button["custom_id"] for button in buttons]
    yield len(rows) > ROWS, "too many rows"
    yield any(not 1 <= len(row["components"]) <= BUTTONS for row in rows), "buttons in a row"
    yield any(not 1 <= len(i) <= CUSTOM_ID for i in ids), "custom_id"
    yield len(set(ids)) < len(ids), "Component custom id cannot be duplicated"
    yield any(not 1 <= size(button["label"]) <= LABEL for button in buttons), "label"


def _files(body: Mapping[str, Any]) -> Iterable[tuple[bool, str]]:
    files = body.get("attachments") or []
    names = {f["filename"] for f in files if "filename" in f}
    pictures = [(e.get("image") or {}).get("url", "") for e in body.get("embeds") or []]
    yield len(files) > FILES, "attachments"
    yield any(size(f.get("description")) > FILE_DESCRIPTION for f in files), "description of a file"
    yield (
        any(p.startswith("attachment://") and p.removeprefix("attachment://") not in names for p in pictures),
        "picture that is no attachment",
    )


def _problem_with_option(option: Mapping[str, Any], depth: int) -> str | None:
    options, name = option.get("options") or [], str(option["name"])
    required = [bool(o.get("required")) for o in options]
    return _first(
        (not _NAME.fullmatch(name) or name != name.lower(), f"name {name!r}"),
        (not 1 <= size(option.get("description")) <= COMMAND_DESCRIPTION, f"description of {name}"),
        (len(options) > OPTIONS, f"options of {name}"),
        (required != sorted(required, reverse=True), f"required options of {name} come first"),
        (len({o["name"] for o in options}) < len(options), f"options of {name} share a name"),
        (bool(option.get("choices")) and bool(option.get("autocomplete")), f"{name} has choices and autocomplete"),
        (depth > 3, "nested too deep"),
        *((problem is not None, problem) for problem in (problem_with_choices(option.get("choices") or []),)),
        *((problem is not None, problem) for problem in (_problem_with_option(o, depth + 1) for o in options)),
    )


def _weight(option: Mapping[str, Any]) -> int:
    own = size(str(option["name"])) + size(option.get("description"))
    choices = sum(size(str(c["name"])) + size(str(c["value"])) for c in option.get("choices") or [])
    return own + choices + sum(map(_weight, option.get("options") or []))
