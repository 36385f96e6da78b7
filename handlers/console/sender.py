"""The sender of alerts: prints the card."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console, RenderableType

from bot.domain.alerts import Delivery, Receipt
from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from bot.ports import Gazetteer
from handlers.console.render import alert_card, digest_view


class ConsoleSender:
    """Prints alerts, one after the other. A terminal cannot be asked what it shows: a second attempt prints a second time.

    Prints from a thread of its own, so that a terminal that takes no output (Ctrl-S, a full pipe) holds up neither the loop nor
    its end. Once the terminal is gone it stays gone, and alerts stay in the outbox for the next start.
    """

    def __init__(self, console: Console, gazetteer: Gazetteer) -> None:
        self._console = console
        self._gazetteer = gazetteer
        self._gone = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="console")

    async def send(self, delivery: Delivery) -> Receipt:
        """Print the alert, or those of a digest under its title: see bot.ports.Sender. A follow-up is indented under the name of what it follows; there are no threads."""
        cards = digest_view(delivery.digest, self._gazetteer) if delivery.digest else alert_card(delivery.alert, self._gazetteer)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._print, cards)
        return Receipt(message_id=f"console-{delivery.key}")

    async def edit(self, delivery: Delivery) -> None:
        """Nothing: what is printed stays as it is. `story` shows all sources."""

    def _print(self, card: RenderableType) -> None:
        try:
            if self._gone:
                raise BrokenPipeError("the terminal is gone")
            self._console.print(card)
        except (BrokenPipeError, SystemExit) as error:  # rich ends the program at a broken pipe, and discards what follows
            self._gone = True
            raise TemporaryDeliveryError("the terminal is gone") from error
        except UnicodeEncodeError as error:
            self._discard()
            raise FinalDeliveryError("the terminal cannot show the alert: set PYTHONIOENCODING=utf-8", "encoding") from error
        except (OSError, ValueError) as error:  # ValueError: the file is closed
            self._discard()
            raise TemporaryDeliveryError(f"the terminal takes no output ({type(error).__name__})") from error

    def _discard(self) -> None:
        """Forget what rich still holds of the card: it would be printed with the next one."""
        self._console.begin_capture()
        self._console.end_capture()
