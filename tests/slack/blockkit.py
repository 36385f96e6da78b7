"""Block Kit's documented limits, as a checker of our own: what is wrong with a message or a view, each with its place; nothing where all is well.

Each rule stands beside the address of the page that states it. A key or a type that is not named here is refused, as Slack refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Problems = Iterator[str]
Rule = Callable[[Json, str], Problems]

MESSAGE_BLOCKS = 50  # https://docs.slack.dev/reference/block-kit/blocks
VIEW_BLOCKS = 100  # https://docs.slack.dev/reference/block-kit/blocks
MESSAGE_TEXT = 4_000  # https://docs.slack.dev/reference/methods/chat.postMessage#truncating
BLOCK_ID = 255  # https://docs.slack.dev/reference/block-kit/blocks/section-block
# https://docs.slack.dev/reference/views/modal-views and https://docs.slack.dev/reference/views/home-tab-views
VIEW_TITLE, VIEW_BUTTON, CALLBACK_ID, PRIVATE_METADATA = 24, 24, 255, 3_000
HEADER = 150  # https://docs.slack.dev/reference/block-kit/blocks/header-block
CONTEXT_ELEMENTS = 10  # https://docs.slack.dev/reference/block-kit/blocks/context-block
ACTIONS_ELEMENTS = 25  # https://docs.slack.dev/reference/block-kit/blocks/actions-block
LABEL, HINT = 2_000, 2_000  # https://docs.slack.dev/reference/block-kit/blocks/input-block
TEXT_OBJECT = 3_000  # https://docs.slack.dev/reference/block-kit/composition-objects/text-object
# https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_TEXT, ACTION_ID, BUTTON_VALUE = 75, 255, 2_000
# https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30
# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
OPTION_TEXT, OPTION_VALUE = 75, 150
OPTIONS = 10  # https://docs.slack.dev/reference/block-kit/block-elements/checkboxes-element, …/radio-button-group-element
# https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
PLACEHOLDER, INPUT_LENGTH = 150, 3_000
LINK_URL = 3_000  # https://docs.slack.dev/reference/block-kit/block-elements/button-element

_STYLES = {"bold", "italic", "strike", "code"}  # https://docs.slack.dev/reference/block-kit/blocks/rich-text-block


def message_problems(message: Json) -> list[str]:
    """Return what is wrong with the arguments of chat.postMessage or of a response URL."""
    return list(_message(message))


def view_problems(view: Json) -> list[str]:
    """Return what is wrong with a view."""
    return list(_view(view))


def _message(message: Json) -> Problems:
    yield from _length(message.get("text"), 1, MESSAGE_TEXT, "text")
    if "blocks" in message:
        yield from _blocks(message["blocks"], MESSAGE_BLOCKS, {"header", "section", "context", "actions", "rich_text"})


def _view(view: Json) -> Problems:
    modal = view.get("type") == "modal"
    own = {"title", "submit", "close"} if modal else set()
    yield from _keys(view, {"type", "blocks"} | ({"title"} if modal else set()), {"callback_id", "private_metadata"} | own, "view")
    if view.get("type") not in ("modal", "home"):
        yield f"view: no type {view.get('type')!r}"
    for name, most in (("title", VIEW_TITLE), ("submit", VIEW_BUTTON), ("close", VIEW_BUTTON)):
        if name in view:
            yield from _plain(view[name], most, name)
    yield from _length(view.get("callback_id", ""), 0, CALLBACK_ID, "callback_id")
    yield from _length(view.get("private_metadata", ""), 0, PRIVATE_METADATA, "private_metadata")
    kinds = {"header", "section", "context", "actions", "rich_text"} | ({"input"} if modal else set())
    yield from _blocks(view.get("blocks"), VIEW_BLOCKS, kinds)
    if any(b.get("type") == "input" for b in view.get("blocks", [])) and "submit" not in view:
        yield "view: fields, but no submit"


def _blocks(blocks: Any, most: int, kinds: set[str]) -> Problems:  # noqa: ANN401  (anything may come)
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= most:
        yield f"blocks: 1 to {most}, not {len(blocks) if isinstance(blocks, list) else blocks!r}"
        return
    ids = [b["block_id"] for b in blocks if "block_id" in b]
    if len(set(ids)) < len(ids):
        yield "blocks: a block_id twice"
    for number, block in enumerate(blocks):
        place = f"blocks[{number}]"
        if block.get("type") not in kinds:
            yield f"{place}: no type {block.get('type')!r} here"
        else:
            yield from _length(block.get("block_id", "-"), 1, BLOCK_ID, f"{place}.block_id")
            yield from _BLOCKS[block["type"]](block, place)


def _header(block: Json, place: str) -> Problems:
    yield from _keys(block, {"type", "text"}, {"block_id"}, place)
    yield from _plain(block.get("text"), HEADER, f"{place}.text")


def _section(block: Json, place: str) -> Problems:
    yield from _keys(block, {"type", "text"}, {"block_id"}, place)
    yield from _text_object(block.get("text"), TEXT_OBJECT, f"{place}.text")


def _context(block: Json, place: str) -> Problems:
    yield from _keys(block, {"type", "elements"}, {"block_id"}, place)
    yield from _count(block.get("elements"), CONTEXT_ELEMENTS, place)
    for element in block.get("elements", []):
        yield from _text_object(element, TEXT_OBJECT, f"{place}.elements")


def _actions(block: Json, place: str) -> Problems:
    yield from _keys(block, {"type", "elements"}, {"block_id"}, place)
    yield from _count(block.get("elements"), ACTIONS_ELEMENTS, place)
    ids = [x.get("action_id") for x in block.get("elements", [])]
    if len(set(ids)) < len(ids):
        yield f"{place}: an action_id twice"
    for element in block.get("elements", []):
        yield from _button(element, f"{place}.elements")


def _button(element: Json, place: str) -> Problems:
    yield from _keys(element, {"type", "text", "action_id"}, {"value", "style", "confirm"}, place)
    if element.get("type") != "button":
        yield f"{place}: no type {element.get('type')!r} here"
    yield from _plain(element.get("text"), BUTTON_TEXT, f"{place}.text")
    yield from _length(element.get("action_id"), 1, ACTION_ID, f"{place}.action_id")
    yield from _length(element.get("value", ""), 0, BUTTON_VALUE, f"{place}.value")
    if element.get("style", "primary") not in ("primary", "danger"):
        yield f"{place}: no style {element['style']!r}"
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{place}.confirm")


def _confirm(confirm: Json, place: str) -> Problems:
    yield from _keys(confirm, {"title", "text", "confirm", "deny"}, {"style"}, place)
    limits = {"title": CONFIRM_TITLE, "text": CONFIRM_TEXT, "confirm": CONFIRM_BUTTON, "deny": CONFIRM_BUTTON}
    for name, most in limits.items():
        yield from _plain(confirm.get(name), most, f"{place}.{name}")


def _input(block: Json, place: str) -> Problems:
    yield from _keys(block, {"type", "label", "element"}, {"block_id", "optional", "hint", "dispatch_action"}, place)
    yield from _plain(block.get("label"), LABEL, f"{place}.label")
    if "hint" in block:
        yield from _plain(block["hint"], HINT, f"{place}.hint")
    element = block.get("element") or {}
    if element.get("type") not in _ELEMENTS:
        yield f"{place}.element: no type {element.get('type')!r} here"
        return
    yield from _length(element.get("action_id"), 1, ACTION_ID, f"{place}.action_id")
    yield from _ELEMENTS[element["type"]](element, f"{place}.element")


def _line(element: Json, place: str) -> Problems:
    yield from _keys(element, {"type", "action_id"}, {"max_length", "initial_value", "placeholder", "multiline"}, place)
    most = element.get("max_length", INPUT_LENGTH)
    if not 1 <= most <= INPUT_LENGTH:
        yield f"{place}.max_length: {most}"
    yield from _length(element.get("initial_value", ""), 0, most, f"{place}.initial_value")
    if "placeholder" in element:
        yield from _plain(element["placeholder"], PLACEHOLDER, f"{place}.placeholder")


def _number(element: Json, place: str) -> Problems:
    """https://docs.slack.dev/reference/block-kit/block-elements/number-input-element"""
    yield from _keys(element, {"type", "action_id", "is_decimal_allowed"}, {"initial_value", "min_value", "max_value"}, place)
    shape = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
    for name in ("initial_value", "min_value", "max_value"):
        if name in element and not re.fullmatch(shape, element[name]):
            yield f"{place}.{name}: {element[name]!r}"
    if "initial_value" in element and not float(element["min_value"]) <= float(element["initial_value"]) <= float(element["max_value"]):
        yield f"{place}.initial_value: out of bounds"


def _hour(element: Json, place: str) -> Problems:
    """https://docs.slack.dev/reference/block-kit/block-elements/time-picker-element"""
    yield from _keys(element, {"type", "action_id"}, {"initial_time"}, place)
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", element.get("initial_time", "00:00")):
        yield f"{place}.initial_time: {element['initial_time']!r}"


def _conversations(element: Json, place: str) -> Problems:
    """https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element"""
    yield from _keys(element, {"type", "action_id"}, {"filter"}, place)


def _choices(element: Json, place: str) -> Problems:
    yield from _keys(element, {"type", "action_id", "options"}, {"initial_option", "initial_options"}, place)
    options = element.get("options") or []
    yield from _count(options, OPTIONS, place)
    for option in options:
        yield from _keys(option, {"text", "value"}, set(), place)
        yield from _plain(option.get("text"), OPTION_TEXT, f"{place}.options")
        yield from _length(option.get("value"), 1, OPTION_VALUE, f"{place}.options")
    chosen = element.get("initial_options", []) + ([element["initial_option"]] if "initial_option" in element else [])
    if any(option not in options for option in chosen) or element.get("initial_options") == []:
        yield f"{place}: an initial option that is none, or no option at all"


def _rich_text(block: Json, place: str) -> Problems:
    """https://docs.slack.dev/reference/block-kit/blocks/rich-text-block"""
    yield from _keys(block, {"type", "elements"}, {"block_id"}, place)
    if not block.get("elements"):
        yield f"{place}: no elements"
    for part in block.get("elements", []):
        yield from _part(part, f"{place}.elements")


def _part(part: Json, place: str) -> Problems:
    kind = part.get("type")
    if kind not in ("rich_text_section", "rich_text_quote", "rich_text_list"):
        yield f"{place}: no type {kind!r} here"
        return
    yield from _keys(part, {"type", "elements"} | ({"style"} if kind == "rich_text_list" else set()), set(), place)
    if not part.get("elements"):
        yield f"{place}: no elements"
    for inner in part.get("elements", []):
        yield from (_part if kind == "rich_text_list" else _inline)(inner, place)


def _inline(element: Json, place: str) -> Problems:
    needed = {"text": {"text"}, "link": {"url"}, "date": {"timestamp", "format"}, "channel": {"channel_id"}, "user": {"user_id"}}
    allowed = {"text": {"style"}, "link": {"style", "text"}, "date": {"fallback"}, "channel": set[str](), "user": set[str]()}
    kind = element.get("type")
    if kind not in needed:
        yield f"{place}: no type {kind!r} here"
        return
    yield from _keys(element, {"type"} | needed[kind], allowed[kind], place)
    if kind in ("text", "link"):
        yield from _length(element.get("text", "-"), 1, TEXT_OBJECT, f"{place}.text")
    if kind == "link" and not re.fullmatch(r"https?://\S{1,2990}", element["url"]):
        yield f"{place}.url: {element['url'][:40]!r}"
    if set(element.get("style", {})) - _STYLES:
        yield f"{place}.style: {element['style']!r}"


def _plain(text: Any, most: int, place: str) -> Problems:  # noqa: ANN401  (anything may come)
    if not isinstance(text, dict) or text.get("type") != "plain_text":
        yield f"{place}: not plain_text"
        return
    yield from _text_object(text, most, place)


def _text_object(text: Any, most: int, place: str) -> Problems:  # noqa: ANN401  (anything may come)
    if not isinstance(text, dict) or text.get("type") not in ("plain_text", "mrkdwn"):
        yield f"{place}: no text object"
        return
    yield from _keys(text, {"type", "text"}, {"emoji"} if text["type"] == "plain_text" else {"verbatim"}, place)
    yield from _length(text.get("text"), 1, most, place)


def _keys(node: Json, needed: set[str], allowed: set[str], place: str) -> Problems:
    if lacking := needed - set(node):
        yield f"{place}: lacks {sorted(lacking)}"
    if unknown := set(node) - needed - allowed:
        yield f"{place}: unknown {sorted(unknown)}"


def _length(text: Any, least: int, most: int, place: str) -> Problems:  # noqa: ANN401  (anything may come)
    if not isinstance(text, str) or not least <= len(text) <= most:
        yield f"{place}: {least} to {most} characters, not {len(text) if isinstance(text, str) else text!r}"


def _count(elements: Any, most: int, place: str) -> Problems:  # noqa: ANN401  (anything may come)
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        yield f"{place}: 1 to {most} elements"


_BLOCKS: dict[str, Rule] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "rich_text": _rich_text,
}
_ELEMENTS: dict[str, Rule] = {
    "plain_text_input": _line,
    "number_input": _number,
    "timepicker": _hour,
    "conversations_select": _conversations,
    "radio_buttons": _choices,
    "checkboxes": _choices,
}
