"""Files that go with an answer in the terminal: kept where the reader can open them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from handlers.replies import Attachment


def saved(attachments: Sequence[Attachment]) -> dict[str, str]:
    """Write attachments into a new folder that only this user reads; return where each lies, by name. None is made for nothing."""
    if not attachments:
        return {}
    folder = Path(tempfile.mkdtemp(prefix="attache-"))
    places = {attachment.name: folder / (re.sub(r"[^\w.-]", "_", attachment.name).strip(".") or "file") for attachment in attachments}
    for attachment in attachments:
        places[attachment.name].write_bytes(attachment.content)
    return {name: str(place) for name, place in places.items()}
