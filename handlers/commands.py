"""One set of use cases for every surface: Command in, Reply out.

A surface verifies and acknowledges, says who asks (Actor), calls `Commands.answer` or `Commands.press` and renders the Reply. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

from bot.domain.alerts import Surface
from bot.domain.errors import AttacheError, FormError, NotAllowedError, UsageError
from bot.ports import WatchLanguage
from handlers.forms import SubscriptionForm
from handlers.grammar import Actor, Command, Name, parse
from handlers.membership import Membership
from handlers.overview import Overseer, Overview
from handlers.replies import Button, Reply
from handlers.suggesting import Hint, Suggester, Suggestion


class Desk(Protocol):
    """Answers commands whose words have a grammar of their own. Who may is decided before it is asked."""

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """Answer a command. Raises an AttacheError that its author can mend."""
        ...


class ButtonDesk(Protocol):
    """Answers the buttons under an alert. Who may is decided before it is asked."""

    async def press(self, actor: Actor, button: Button, development_id: str) -> Reply:
        """Answer a button. Raises UsageError for a development that is not there any more."""
        ...


class FormDesk(Protocol):
    """Keeps what was filled into the form of a subscription. Who may is decided before it is asked."""

    async def submit(self, actor: Actor, form: SubscriptionForm) -> Reply:
        """Subscribe the actor's channel. Raises FormError, with a problem for each field that makes no sense."""
        ...

    async def form(self, actor: Actor) -> SubscriptionForm:
        """Return the form of the actor's channel, as it is filled now."""
        ...


class Commands:
    """Knows which desk answers what, and who may. Does not render, does not escape."""

    def __init__(
        self,
        *,
        desks: Mapping[Name, Desk],
        buttons: ButtonDesk,
        forms: FormDesk,
        suggester: Suggester,
        membership: Membership,
        overseer: Overseer,
        language: WatchLanguage,
        admins: frozenset[str],
    ) -> None:
        self._desks = dict(desks)
        self._buttons = buttons
        self._forms = forms
        self._suggester = suggester
        self._membership = membership
        self._overseer = overseer
        self._language = language
        self._admins = admins

    async def answer_line(self, actor: Actor, line: str) -> Reply:
        """Answer a typed line; words that make no sense are answered with the usage."""
        try:
            command = parse(line)
        except UsageError as error:
            return failure(error)
        return await self.answer(actor, command)

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """Answer a command. Errors that a user can mend are answers; anything else goes up."""
        try:
            if command.for_admins:
                self._only_admins(actor)
            reply = await self._desk(command.name).answer(actor, command)
            return replace(reply, shared=command.share)
        except AttacheError as error:
            return failure(error)

    async def press(self, actor: Actor, button: Button, development_id: str) -> Reply:
        """Answer a button under an alert."""
        try:
            if button.for_admins:
                self._only_admins(actor)
            return await self._buttons.press(actor, button, development_id)
        except AttacheError as error:
            return failure(error)

    async def form(self, actor: Actor) -> SubscriptionForm:
        """Return the form of the channel's subscription, for an admin to change. Raises NotAllowedError."""
        self._only_admins(actor)
        return await self._forms.form(actor)

    async def submit(self, actor: Actor, form: SubscriptionForm) -> Reply:
        """Keep a filled form. Raises FormError, for the surface to show beside the fields; other errors are answers."""
        try:
            self._only_admins(actor)
            return await self._forms.submit(actor, form)
        except FormError:
            raise
        except AttacheError as error:
            return failure(error)

    async def suggest(self, actor: Actor, hint: Hint, typed: str) -> list[Suggestion]:
        """Return at most 25 suggestions for what is being typed, the likeliest first."""
        return await self._suggester.suggest(actor, hint, typed)

    async def overview(self, actor: Actor) -> Overview:
        """Return what there is to see at a glance for somebody of the actor's workspace."""
        return await self._overseer.overview(actor)

    def canonical(self, expression: str) -> str:
        """Return a watch expression as it is kept, for a surface that checks before it asks. Raises UsageError with the place of a mistake."""
        return self._language.compile(expression).text

    def is_admin(self, actor: Actor) -> bool:
        """Say whether the actor may do what is for admins, for a surface that shows them more."""
        return actor.admin or str(actor) in self._admins

    async def narrows_only(self, actor: Actor, term: str) -> bool:
        """Say whether a watch keyword narrows the actor's channel and is nobody else's business."""
        return await self._suggester.narrows_only(actor, term)

    async def removed(self, surface: Surface, team: str, addresses: Collection[str] = ()) -> int:
        """Pause the subscriptions of a workspace or server that the bot was taken out of; return how many."""
        return await self._membership.removed(surface, team, addresses)

    async def returned(self, surface: Surface, team: str, addresses: Collection[str] = ()) -> int:
        """Let the subscriptions go on that `removed` paused; return how many."""
        return await self._membership.returned(surface, team, addresses)

    def _desk(self, name: Name) -> Desk:
        if name not in self._desks:
            raise UsageError(f"`{name}` is not answered here: ask the bot that runs.")
        return self._desks[name]

    def _only_admins(self, actor: Actor) -> None:
        if not self.is_admin(actor):
            raise NotAllowedError("Only admins may do that. Ask one of them; everybody may read: see `help`.")


def failure(error: AttacheError) -> Reply:
    """Return what a user sees of an error that is theirs to mend."""
    return Reply(title="That did not work", note=str(error), error=True)
