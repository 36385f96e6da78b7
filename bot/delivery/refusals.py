"""Which of the platforms' final errors are the message's fault. All others are the channel's, the app's or the account's, and hold for every message."""

from __future__ import annotations

# https://docs.slack.dev/reference/methods/chat.postMessage#errors
_SLACK = frozenset(
    {
        "attachment_payload_limit_exceeded",
        "invalid_arguments",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "markdown_text_conflict",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_DISCORD = frozenset({"40005", "50006", "50035", "50109", "200000", "200001", "240000"})
_CONSOLE = frozenset({"encoding"})

_MESSAGE = _SLACK | _DISCORD | _CONSOLE


def is_fault_of_message(code: str) -> bool:
    """Say whether the platform would take another message in the same place."""
    return code in _MESSAGE
