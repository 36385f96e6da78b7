"""The sender for a terminal: prints the card, once a delivery."""

from __future__ import annotations

import asyncio

from rich.console import Console

from bot.domain.alerts import Delivery, Receipt
from bot.domain.errors import TemporaryDeliveryError
from bot.ports import Gazetteer
from handlers.console.render import alert_card


class ConsoleSender:
    """Prints alerts. A terminal that is gone keeps them in the outbox."""

    def __init__(self, console: Console, gazetteer: Gazetteer) -> None:
        self._console = console
        self._gazetteer = gazetteer

    async def send(self, delivery: Delivery) -> Receipt:
        """See `Sender.send`. The terminal knows no message ids: the delivery's own key serves."""
        try:
            # in a thread: a terminal that does not take its output must not hold up the loop
            await asyncio.to_thread(self._console.print, alert_card(delivery.alert, self._gazetteer))
        except OSError as error:
            raise TemporaryDeliveryError(f"the terminal takes no output ({error.strerror or type(error).__name__})") from error
        return Receipt(message_id=delivery.key)
