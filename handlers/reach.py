"""What a command reaches: the channel it is typed in, or the whole installation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.domain.errors import UsageError
from handlers.grammar import Actor, Name, parse

_OF_A_CHANNEL = frozenset({Name.SUBSCRIBE, Name.UNSUBSCRIBE, Name.MUTE, Name.DIGEST})


async def is_of_the_channel(actor: Actor, line: str, narrows_only: Callable[[Actor, str], Awaitable[bool]]) -> bool:
    """Say whether a line of the grammar changes nothing beyond the actor's channel; `narrows_only` looks a watch keyword up."""
    try:
        command = parse(line)
    except UsageError:
        return False
    action, _, term = command.words.partition(" ")
    if command.name is not Name.WATCH:
        return command.name in _OF_A_CHANNEL
    return action.casefold() == "only" or (action.casefold() == "remove" and await narrows_only(actor, term))
