"""Files that go with an answer. Slack shows none in an answer that only its author sees: those go to the author's own conversation with the app."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from handlers.replies import Attachment
from handlers.slack.errors import FOREIGN, problem_of

_log = structlog.get_logger()


async def upload(client: AsyncWebClient, attachments: Sequence[Attachment], *, channel: str, user: str, shared: bool) -> bool:
    """Upload to the channel, or to `user` alone; return whether all went. https://docs.slack.dev/messaging/working-with-files#uploading_files"""
    try:
        place = channel if shared else str((await client.conversations_open(users=user))["channel"]["id"])
        for file in attachments:
            await client.files_upload_v2(
                channel=place, content=file.content, filename=file.name, title=file.name, alt_txt=file.description, request_file_info=False
            )
    except FOREIGN as error:
        _log.warning("slack_file_refused", code=problem_of(error).code)
        return False
    return True
