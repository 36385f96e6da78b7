"""Interactions answered: acknowledge, say who asks, let the use cases answer, show. Decides nothing of what is answered."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot.domain.errors import FormError, UsageError
from handlers.commands import Commands, failure
from handlers.discord.components import development_of, offers_of
from handlers.discord.errors import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION
from handlers.discord.markdown import clean, fitted, size
from handlers.discord.replies import reply_embeds, reply_files
from handlers.discord.rights import Rights
from handlers.forms import SubscriptionForm
from handlers.grammar import SHARE
from handlers.replies import Button, Reply
from handlers.suggesting import Hint, Suggestion

# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure
CHOICES_LIMIT, CHOICE_LIMIT = 25, 100
SUGGEST_SECONDS = 2.0  # Discord waits for three: https://discord.com/developers/docs/interactions/receiving-and-responding

_log = structlog.get_logger()


class Answerer:
    """Acknowledges first, asks the use cases and shows the reply: to its author only, or with `share` to the channel. Decides nothing.

    An interaction that was acknowledged already, by another process or a moment ago, is left alone.
    """

    def __init__(self, *, commands: Commands, rights: Rights) -> None:
        self._commands = commands
        self._rights = rights

    async def answer(self, interaction: discord.Interaction, line: str, *, share: bool = False) -> None:
        """Answer `line` as the interaction's user typed it. Raises discord.py's errors when Discord cannot be told."""
        said = f"{line} {SHARE}" if share else line

        async def work() -> Reply:
            return await self._commands.answer_line(await self._rights.actor_of(interaction, line), said)

        await self._respond(interaction, work, share=share)

    async def press(self, interaction: discord.Interaction, button: Button, development_id: str) -> None:
        """Answer a button under an alert, for whoever pressed it. Raises discord.py's errors when Discord cannot be told."""
        await self._respond(interaction, lambda: self._commands.press(self._rights.actor(interaction), button, development_id))

    async def submit(self, interaction: discord.Interaction, form: SubscriptionForm) -> None:
        """Subscribe the channel as the options say. Raises discord.py's errors when Discord cannot be told."""

        async def work() -> Reply:
            try:
                return await self._commands.submit(self._rights.actor(interaction), form)
            except FormError as error:
                return Reply(title="That did not work", facts=tuple(error.problems.items()), error=True)

        await self._respond(interaction, work)

    async def explain(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Answer the context menu on a message: why it alerted. Raises discord.py's errors when Discord cannot be told."""
        own = interaction.client.user is not None and message.author.id == interaction.client.user.id
        found = development_of(message) if own else None
        if found is not None:
            await self.press(interaction, Button.WHY, found)
            return
        what = "That message is no alert of one development. In a digest each line ends with an id: ask with `why ID`."

        async def work() -> Reply:
            return failure(UsageError(what))

        await self._respond(interaction, work)

    async def suggest(self, interaction: discord.Interaction, hint: Hint, typed: str) -> list[app_commands.Choice[str]]:
        """Return what may be meant by what is typed so far; nothing where that takes too long or goes wrong. Raises nothing."""
        try:
            async with asyncio.timeout(SUGGEST_SECONDS):
                found = await self._commands.suggest(self._rights.actor(interaction), hint, typed)
        except Exception as error:  # a field without suggestions can still be typed into
            _log.warning("discord_no_suggestions", hint=hint, trace=traced(error))
            return []
        return [_choice(s) for s in found if 0 < size(s.value) <= CHOICE_LIMIT][:CHOICES_LIMIT]

    async def apologise(self, interaction: discord.Interaction, error: Exception) -> None:
        """Log an error that came from outside the use cases and tell the user its id, if Discord still lets us."""
        reply = _apology(error, "discord_interaction_failed")
        try:
            if interaction.response.is_done() or await _acknowledged(interaction, ephemeral=True):
                await self._show(interaction, reply)
        except (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError) as refused:  # RuntimeError: the session is closed
            _log.warning("discord_answer_refused", problem=type(refused).__name__)

    async def _respond(self, interaction: discord.Interaction, work: Callable[[], Awaitable[Reply]], *, share: bool = False) -> None:
        if not await _acknowledged(interaction, ephemeral=not share):
            return
        try:
            reply = await work()
        except Exception as error:  # the user gets an id instead of silence; the log has the rest under it
            reply = _apology(error, "command_failed")
        if share and reply.error:  # an answer is as visible as its acknowledgement was: a mistake is not for the channel
            await interaction.delete_original_response()
        await self._show(interaction, reply, share=share and not reply.error)

    async def _show(self, interaction: discord.Interaction, reply: Reply, *, share: bool = False) -> None:
        more: dict[str, Any] = {"view": offers_of(reply.offers)} if reply.offers else {}
        if reply.attachments:
            more["files"] = reply_files(reply)
        nobody = discord.AllowedMentions.none()
        await interaction.followup.send(embeds=reply_embeds(reply), ephemeral=not share, allowed_mentions=nobody, **more)


async def _acknowledged(interaction: discord.Interaction, *, ephemeral: bool) -> bool:
    """Acknowledge; False when somebody did before, or it is too late: then it is not ours to answer."""
    try:
        await interaction.response.defer(ephemeral=ephemeral, thinking=True)
    except discord.HTTPException as error:
        if error.code not in (ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION):
            raise
        _log.info("discord_interaction_not_ours", interaction=interaction.id, code=error.code)
        return False
    return True


def _choice(suggestion: Suggestion) -> app_commands.Choice[str]:
    label = fitted(suggestion.label, CHOICE_LIMIT, dress=clean) or fitted(suggestion.value, CHOICE_LIMIT, dress=clean) or "–"
    return app_commands.Choice(name=label, value=suggestion.value)


def _apology(error: Exception, event: str) -> Reply:
    ident = secrets.token_hex(4)
    _log.error(event, id=ident, trace=traced(error))
    return Reply(title="That did not work", note=f"Something went wrong on the bot's side. Tell an admin this id: {ident}", error=True)


def traced(error: BaseException) -> str:
    """Return the traceback as plain text: exc_info would let a pretty renderer print local variables, and discord.py's hold the token."""
    return "".join(traceback.format_exception(error))
