"""The JSON that FakeDiscord speaks: complete enough for discord.py 2.7. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

EPOCH = "2026-01-01T00:00:00.000000+00:00"
TEXT_CHANNEL, PUBLIC_THREAD = 0, 11
SUB_COMMAND, SUB_COMMAND_GROUP, STRING, INTEGER, BOOLEAN, NUMBER = 1, 2, 3, 4, 5, 10
COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4  # kinds of interactions
EPHEMERAL = 64


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


def role(role_id: str, name: str) -> Json:
    """Return a role without permissions."""
    return {
        "id": role_id,
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": "0",
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def guild(guild_id: str, channels: list[Json], roles: Mapping[str, str]) -> Json:
    """Return a guild as GUILD_CREATE brings it; `roles` are names by id."""
    return {
        "id": guild_id,
        "name": "guild",
        "icon": None,
        "owner_id": "900",
        "roles": [role(guild_id, "@everyone"), *(role(i, name) for i, name in roles.items())],
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


def attachment(described: Json, channel_id: str, message_id: str) -> Json:
    """Return a file of a message."""
    url = f"https://cdn.discordapp.example/attachments/{channel_id}/{message_id}/{described['filename']}"
    return {**described, "size": 1, "url": url, "proxy_url": url}


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
        "attachments": [attachment(a, channel_id, message_id) for a in body.get("attachments") or []],
        "embeds": body.get("embeds") or [],
        "components": body.get("components") or [],
        "pinned": False,
        "type": 0,
        "flags": body.get("flags", 0),
        "nonce": body.get("nonce"),
    }


def interaction(
    interaction_id: str, app_id: str, guild_id: str, where: Json, who: Json, permissions: int, roles: Sequence[str], kind: int, data: Json
) -> Json:
    """Return a typed command, a pressed button or a half-typed option as the gateway brings it."""
    member: Json = {
        "user": who,
        "roles": list(roles),
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
        "type": kind,
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


def options_of(words: str, options: Mapping[str, Any], focused: str = "") -> list[Json]:
    """Return the nested options of a subcommand: `watch add` with its values, one of them perhaps still being typed."""
    values: list[Json] = [
        {"name": n, "value": v, "type": _kind(v)} | ({"focused": True} if n == focused else {}) for n, v in options.items()
    ]
    *groups, name = words.split()
    nested: list[Json] = [{"name": name, "type": SUB_COMMAND, "options": values}]
    for group in reversed(groups):
        nested = [{"name": group, "type": SUB_COMMAND_GROUP, "options": nested}]
    return nested


def _kind(value: object) -> int:
    kinds = {bool: BOOLEAN, int: INTEGER, float: NUMBER}
    return kinds.get(type(value), STRING)
