"""The use case `help`: what there is to type, and who may."""

from __future__ import annotations

from bot.domain.errors import UsageError
from handlers.grammar import EXAMPLES, FOR_ADMINS, USAGE, Actor, Command, Name
from handlers.replies import Reply

SHARED = "Only you see an answer; with --share behind the command (share: on Discord) the channel does."


class HelpDesk:
    """Answers `help`, of all commands or of one."""

    async def answer(self, _: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        wanted = command.words.casefold()
        if not wanted:
            return Reply(title="Commands", facts=tuple(USAGE[name] for name in Name), note=f"{SHARED} More on one: help latest.")
        if wanted not in tuple(Name):
            raise UsageError(f"There is no command “{command.words[:40]}”. Try: {', '.join(Name)}.")
        return _help(Name(wanted))


def _help(name: Name) -> Reply:
    said, meant = USAGE[name]
    return Reply(
        title=f"Help: {name}",
        facts=(("What", meant), ("Usage", said), ("For example", " · ".join(EXAMPLES[name])), ("Who may", _who(name))),
    )


def _who(name: Name) -> str:
    """Return who may run a command, as `FOR_ADMINS` has it."""
    changing = FOR_ADMINS.get(name, frozenset())
    if not changing:
        return "everybody"
    words = sorted(changing - {"*", ""})
    if words:
        return f"everybody may look; {', '.join(words)}: admins"
    return "admins" if "" in changing else "everybody may look; changing it: admins"
