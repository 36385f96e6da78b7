"""The JSON that FakeDiscord speaks: complete enough for discord.py 2.7, with the form checks that a bot can fail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

EPOCH = "2026-01-01T00:00:00.000000+00:00"
TEXT_CHANNEL, PUBLIC_THREAD = 0, 11
SUB_COMMAND, SUB_COMMAND_GROUP, STRING, INTEGER = 1, 2, 3, 4
EPHEMERAL = 64
_SIZES = {"title": 256, "description": 4096}


def user(user_id: str, name: str, *, bot: bool = False) -> Json:
    """Return a user object."""
    return {
        "id": user_id,
        "username": name,
        "discriminator": "0",
        "global_name": None,
        "avatar": None,
        "bot": bot,
        "flags": 0,
        "mfa_enabled": True,
    }


def application(app_id: str) -> Json:
    """Return the application behind the bot."""
    return {
        "id": app_id,
        "name": "attache",
        "icon": None,
        "description": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "owner": user("900", "owner"),
        "verify_key": "00",
        "flags": 0,
        "team": None,
    }


def channel(channel_id: str, guild_id: str) -> Json:
    """Return a text channel."""
    return {
        "id": channel_id,
        "guild_id": guild_id,
        "type": TEXT_CHANNEL,
        "name": f"channel-{channel_id}",
        "position": 0,
        "permission_overwrites": [],
        "nsfw": False,
        "topic": None,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "last_message_id": None,
    }


def thread(thread_id: str, parent_id: str, guild_id: str, owner_id: str, name: str, minutes: int) -> Json:
    """Return a public thread."""
    metadata = {"archived": False, "auto_archive_duration": minutes, "archive_timestamp": EPOCH, "locked": False}
    return {
        "id": thread_id,
        "guild_id": guild_id,
        "parent_id": parent_id,
        "owner_id": owner_id,
        "type": PUBLIC_THREAD,
        "name": name,
        "last_message_id": None,
        "message_count": 0,
        "member_count": 1,
        "rate_limit_per_user": 0,
        "thread_metadata": metadata,
    }


def guild(guild_id: str, channels: list[Json]) -> Json:
    """Return a guild as GUILD_CREATE brings it."""
    everyone = {
        "id": guild_id,
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": "0",
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    return {
        "id": guild_id,
        "name": "guild",
        "icon": None,
        "owner_id": "900",
        "roles": [everyone],
        "emojis": [],
        "stickers": [],
        "features": [],
        "channels": channels,
        "threads": [],
        "members": [],
        "presences": [],
        "voice_states": [],
        "member_count": 2,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "system_channel_flags": 0,
        "unavailable": False,
        "large": False,
    }


def message(message_id: str, channel_id: str, author: Json, body: Mapping[str, Any]) -> Json:
    """Return the message that Discord makes of a posted body."""
    return {
        "id": message_id,
        "channel_id": channel_id,
        "author": author,
        "content": body.get("content") or "",
        "timestamp": EPOCH,
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": body.get("embeds") or [],
        "components": [],
        "pinned": False,
        "type": 0,
        "flags": body.get("flags", 0),
        "nonce": body.get("nonce"),
    }


def interaction(interaction_id: str, app_id: str, guild_id: str, where: Json, who: Json, permissions: int, data: Json) -> Json:
    """Return a typed command as the gateway brings it."""
    member: Json = {
        "user": who,
        "roles": [],
        "joined_at": EPOCH,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "permissions": str(permissions),
    }
    return {
        "id": interaction_id,
        "application_id": app_id,
        "type": 2,
        "token": f"interaction-{interaction_id}",
        "version": 1,
        "guild_id": guild_id,
        "channel_id": where["id"],
        "channel": where,
        "member": member,
        "data": data,
        "locale": "en-US",
        "guild_locale": "en-US",
        "app_permissions": "0",
        "entitlements": [],
        "authorizing_integration_owners": {"0": guild_id},
        "context": 0,
        "attachment_size_limit": 10_485_760,
    }


def options_of(words: str, options: Mapping[str, Any]) -> list[Json]:
    """Return the nested options of a subcommand: `watch add` with its values."""
    values: list[Json] = [{"name": n, "value": v, "type": INTEGER if isinstance(v, int) else STRING} for n, v in options.items()]
    *groups, name = words.split()
    nested: list[Json] = [{"name": name, "type": SUB_COMMAND, "options": values}]
    for group in reversed(groups):
        nested = [{"name": group, "type": SUB_COMMAND_GROUP, "options": nested}]
    return nested


def problem_with(body: Mapping[str, Any]) -> str | None:
    """Return what Discord would refuse in a message's form, or None.

    https://discord.com/developers/docs/resources/message#embed-object-embed-limits and #create-message
    """
    embeds = body.get("embeds") or []
    if not embeds and not body.get("content"):
        return "Cannot send an empty message"
    if len(embeds) > 10 or len(str(body.get("nonce") or "")) > 25:
        return "embeds or nonce too long"
    if sum(map(_length, embeds)) > 6000:
        return "embeds exceed 6000 characters"
    return next((found for embed in embeds if (found := _problem_with_embed(embed))), None)


def _problem_with_embed(embed: Json) -> str | None:
    for part, longest in _SIZES.items():
        if _size(embed.get(part, "")) > longest:
            return f"{part} over {longest}"
    if not (embed.get("url") or "http://").startswith(("http://", "https://")):
        return "Scheme must be one of http, https"
    fields = embed.get("fields", [])
    if len(fields) > 25 or any(not 0 < _size(f["name"]) <= 256 or not 0 < _size(f["value"]) <= 1024 for f in fields):
        return "fields"
    return None


def _length(embed: Json) -> int:
    fields = sum(_size(f["name"]) + _size(f["value"]) for f in embed.get("fields", []))
    return _size(embed.get("title", "")) + _size(embed.get("description", "")) + fields


def _size(text: str | None) -> int:
    return len((text or "").encode("utf-16-le")) // 2
