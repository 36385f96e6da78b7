"""Bricks of dialogs: fields to fill in, and what was filled in. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from handlers.slack.elements import Brick, harmless

MAX_TITLE = 24  # also of the buttons: https://docs.slack.dev/reference/views/modal-views
MAX_OPTION = 75  # https://docs.slack.dev/reference/block-kit/composition-objects/option-object
MAX_PLACEHOLDER = 150  # https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
MAX_TYPED = 3_000  # https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
MAX_PROBLEM = 300  # characters; no limit is stated, and more is no help beside a field
VALUE = "value"  # the action_id of every field: its block_id says which it is


def plain(words: str) -> Brick:
    """Return own or harmless words as plain text."""
    return {"type": "plain_text", "text": words, "emoji": False}


def modal(name: str, title: str, blocks: Sequence[Brick], *, submit: str | None = None, kept: Mapping[str, Any] | None = None) -> Brick:
    """Return a dialog that comes back under `name` with what is `kept`. Without `submit` it only tells something."""
    view = {"type": "modal", "title": plain(title), "close": plain("Cancel" if submit else "Close"), "blocks": list(blocks)}
    sent = {"callback_id": name, "submit": plain(submit)} if submit else {}
    return {**view, **sent, "private_metadata": json.dumps(dict(kept or {}))}


def field(name: str, label: str, element: Brick, *, hint: str = "", optional: bool = True) -> Brick:
    """Return a field with its label. https://docs.slack.dev/reference/block-kit/blocks/input-block"""
    block: Brick = {"type": "input", "block_id": name, "label": plain(label), "element": {**element, "action_id": VALUE}}
    return block | {"optional": optional} | ({"hint": plain(hint)} if hint else {})


def line(filled: str, *, example: str = "", limit: int = MAX_TYPED) -> Brick:
    """Return a field for a line of text, filled as it is now; the person gets to see what they typed, so it is not cleaned."""
    found: Brick = {"type": "plain_text_input", "max_length": limit}
    return found | ({"placeholder": plain(example)} if example else {}) | ({"initial_value": filled[:limit]} if filled else {})


def number(filled: str, *, least: str, most: str, decimal: bool) -> Brick:
    """Return a field for a number. https://docs.slack.dev/reference/block-kit/block-elements/number-input-element"""
    found: Brick = {"type": "number_input", "is_decimal_allowed": decimal, "min_value": least, "max_value": most}
    return found | ({"initial_value": filled} if filled else {})


def choice(options: Mapping[str, str], chosen: str) -> Brick:
    """Return radio buttons; `options` are what is said for each value. https://docs.slack.dev/reference/block-kit/block-elements/radio-button-group-element"""
    found: Brick = {"type": "radio_buttons", "options": [_option(value, words) for value, words in options.items()]}
    return found | ({"initial_option": _option(chosen, options[chosen])} if chosen in options else {})


def ticks(options: Mapping[str, str], ticked: Sequence[str]) -> Brick:
    """Return boxes to tick. https://docs.slack.dev/reference/block-kit/block-elements/checkboxes-element"""
    found: Brick = {"type": "checkboxes", "options": [_option(value, words) for value, words in options.items()]}
    initial = [_option(value, options[value]) for value in ticked if value in options]
    return found | ({"initial_options": initial} if initial else {})


def hour(filled: str) -> Brick:
    """Return a field for a time of the day. https://docs.slack.dev/reference/block-kit/block-elements/time-picker-element"""
    return {"type": "timepicker", **({"initial_time": filled} if filled else {})}


def channel() -> Brick:
    """Return a field for a channel. https://docs.slack.dev/reference/block-kit/block-elements/multi-conversations-select-menu-element"""
    return {"type": "conversations_select", "filter": {"include": ["public", "private"], "exclude_bot_users": True}}


def _option(value: str, words: str) -> Brick:
    return {"text": plain(words), "value": value}


def filled(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was filled in, by the fields' names: text, or a list of texts where several may be ticked. https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload"""
    values: Mapping[str, Mapping[str, Mapping[str, Any]]] = (view.get("state") or {}).get("values") or {}
    return {name: _value(actions[VALUE]) for name, actions in values.items() if VALUE in actions}


def _value(state: Mapping[str, Any]) -> str | list[str]:
    if state.get("type") == "checkboxes":
        return [str(option["value"]) for option in state.get("selected_options") or []]
    if state.get("type") == "radio_buttons":
        return str((state.get("selected_option") or {}).get("value") or "")
    return str(state.get("value") or state.get("selected_time") or state.get("selected_conversation") or "")


def kept(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dialog was given to keep."""
    found = json.loads(view.get("private_metadata") or "{}")
    return dict(found)


def problem(words: str) -> str:
    """Return what is wrong with a field, for beside it."""
    return harmless(words, MAX_PROBLEM) or "That makes no sense."
