"""The buttons under an alert. A development's id in, a Reply out."""

from __future__ import annotations

from bot.domain.errors import UsageError
from bot.domain.subscriptions import Feedback, Mute
from bot.ports import Channels, Clock, Library
from handlers.commands import Desk
from handlers.grammar import Actor, Command, Name
from handlers.replies import Button, Offer, Reply

ENOUGH = 3  # times "Not relevant" in a dossier and a channel, after which the bot offers to mute it
_READ = {Button.TIMELINE: Name.TIMELINE, Button.WHY: Name.WHY}


class ButtonPad:
    """Answers the buttons. `reading` answers `timeline` and `why`."""

    def __init__(self, *, library: Library, channels: Channels, reading: Desk, clock: Clock) -> None:
        self._library = library
        self._channels = channels
        self._reading = reading
        self._clock = clock

    async def press(self, actor: Actor, button: Button, development_id: str) -> Reply:
        """See `ButtonDesk.press`."""
        development = await self._library.development(development_id)
        if development is None:
            raise UsageError("That development is not kept any more.")
        if button in _READ:
            words = development.dossier_id if button is Button.TIMELINE else development_id
            return await self._reading.answer(actor, Command(name=_READ[button], words=words))
        if button is Button.MUTE:
            return await self._mute(actor, development.dossier_id, development.headline)
        return await self._feedback(actor, button, development_id, development.dossier_id)

    async def _mute(self, actor: Actor, dossier_id: str, headline: str) -> Reply:
        if actor.destination is None:
            raise UsageError("A dossier is muted in a channel: press the button there.")
        await self._channels.mute(Mute(destination=actor.destination, dossier_id=dossier_id, actor=str(actor), at=self._clock.now()))
        return Reply(
            title="Muted in this channel", note=f"No more alerts on the dossier of “{headline}”. To have them back: mute off {dossier_id}"
        )

    async def _feedback(self, actor: Actor, button: Button, development_id: str, dossier_id: str) -> Reply:
        if actor.destination is None:
            raise UsageError("Feedback belongs to a channel: press the button there.")
        useful = button is Button.USEFUL
        said = Feedback(development_id=development_id, destination=actor.destination, actor=str(actor), useful=useful, at=self._clock.now())
        against = await self._channels.say(said)
        if useful or against < ENOUGH:
            return Reply(title="Noted, thank you", note="It helps to judge what follows, and `status` shows it.")
        offer = Offer(button=Button.MUTE, development_id=development_id)
        return Reply(
            title="Noted, thank you", note=f"That is {against} times “Not relevant” on this dossier here. Mute it?", offers=(offer,)
        )
