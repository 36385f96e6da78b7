"""The sender's contract: a card for a delivery, and only errors of ours."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from handlers.console.sender import ConsoleSender
from tests.console.kit import Atlas, delivery


class Gone(io.StringIO):
    """A terminal that takes nothing."""

    def write(self, _: str) -> int:
        raise BrokenPipeError("gone")


async def test_a_delivery_is_printed_and_acknowledged() -> None:
    out, one = io.StringIO(), delivery()
    receipt = await ConsoleSender(Console(file=out, width=80), Atlas()).send(one)
    assert one.alert.development.headline in out.getvalue()
    assert one.key in receipt.message_id


async def test_a_terminal_that_is_gone_keeps_the_alert_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = ConsoleSender(Console(file=Gone(), width=80), Atlas())
    with (tmp_path / "stdout").open("w") as stand_in:  # rich points the program's own output at /dev/null: let it take this one
        monkeypatch.setattr(sys, "stdout", stand_in)
        for _ in range(2):
            with pytest.raises(TemporaryDeliveryError):
                await sender.send(delivery())


async def test_a_terminal_that_cannot_write_the_characters_is_a_final_error_and_the_next_card_is_whole() -> None:
    console = Console(file=io.TextIOWrapper(raw := io.BytesIO(), encoding="ascii", write_through=True), width=80)
    with pytest.raises(FinalDeliveryError) as caught:
        await ConsoleSender(console, Atlas()).send(delivery(place="Yaoundé"))
    assert caught.value.code == "encoding"
    console.print("after")
    assert raw.getvalue() == b"after\n"
