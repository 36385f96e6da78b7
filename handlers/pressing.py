"""The buttons under an alert. A development's id in, a Reply out."""

from __future__ import annotations

from bot.domain.alerts import Destination
from bot.domain.developments import Development
from bot.domain.errors import UsageError
from bot.domain.subscriptions import Feedback, Mute
from bot.ports import Channels, Clock, Library
from handlers.commands import Desk
from handlers.grammar import Actor, Command, Name
from handlers.replies import Button, Offer, Reply

ENOUGH = 3  # times "Not relevant" in a dossier and a channel, after which the bot offers to mute it


class ButtonPad:
    """Answers the buttons. `timelines` and `explaining` answer `timeline` and `why`."""

    def __init__(self, *, library: Library, channels: Channels, timelines: Desk, explaining: Desk, clock: Clock) -> None:
        self._library = library
        self._channels = channels
        self._timelines = timelines
        self._explaining = explaining
        self._clock = clock

    async def press(self, actor: Actor, button: Button, development_id: str) -> Reply:
        """See `ButtonDesk.press`."""
        development = await self._library.development(development_id)
        if development is None:
            raise UsageError("That development is not kept any more.")
        if button is Button.TIMELINE:
            return await self._timelines.answer(actor, Command(name=Name.TIMELINE, words=development_id))
        if button is Button.WHY:
            return await self._explaining.answer(actor, Command(name=Name.WHY, words=development_id))
        if actor.destination is None:
            raise UsageError("That belongs to a channel: press the button there.")
        if button is Button.MUTE:
            return await self._mute(actor, actor.destination, development)
        return await self._feedback(actor, actor.destination, development, useful=button is Button.USEFUL)

    async def _mute(self, actor: Actor, here: Destination, development: Development) -> Reply:
        dossier = development.dossier_id
        await self._channels.mute(Mute(destination=here, dossier_id=dossier, actor=str(actor), at=self._clock.now()))
        note = f"No more alerts on the dossier of “{development.headline}”. To have them back: mute off {dossier}"
        return Reply(title="Muted in this channel", note=note)

    async def _feedback(self, actor: Actor, here: Destination, development: Development, *, useful: bool) -> Reply:
        own = development.development_id
        said = Feedback(development_id=own, destination=here, actor=str(actor), useful=useful, at=self._clock.now())
        against = await self._channels.say(said)
        if useful or against < ENOUGH or await self._muted(here, development.dossier_id):
            return Reply(title="Noted, thank you", note="It counts in `status`. Press the other button to change your mind.")
        note = f"That is {against} times “Not relevant” on this dossier here. Mute it? An admin may."
        return Reply(title="Noted, thank you", note=note, offers=(Offer(button=Button.MUTE, development_id=own),))

    async def _muted(self, here: Destination, dossier_id: str) -> bool:
        now = self._clock.now()
        return any(mute.silences(here, dossier_id, now) for mute in await self._channels.mutes(here))
