"""Slack, through the real client: tokens, scopes, and what may be done in each channel. Posts nothing.

https://docs.slack.dev/reference/methods/auth.test, https://docs.slack.dev/reference/methods/conversations.info
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.findings import Area, Finding
from bot.domain.errors import SettingsError
from bot.ports import Installations
from config.settings import HERE
from handlers.slack.errors import FOREIGN, problem_of

SECONDS = 10
SLACK = Area("slack")
_TOKEN = "copy the bot token anew (Slack app > OAuth & Permissions > Bot User OAuth Token) into SLACK_BOT_TOKEN"  # noqa: S105  (it is a sentence)
_APP_TOKEN = "make an app-level token with connections:write (Slack app > Basic Information > App-Level Tokens) and set SLACK_APP_TOKEN"  # noqa: S105  (advice)
_NETWORK = "see that this machine reaches Slack (SLACK_API_URL), and https://slack-status.com"
_SCOPES = "add them under Slack app > OAuth & Permissions > Bot Token Scopes (or paste config/slack-manifest.yaml), then reinstall the app"
_MENDS = {
    "channel_not_found": "the id is wrong, or it is a private channel: in it, type /invite @attache",
    "missing_scope": _SCOPES,
    "not_in_channel": "in the channel, type /invite @attache",
    "is_archived": "unarchive the channel, or name another one",
}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of it, and what Slack's clock shows."""

    findings: tuple[Finding, ...]
    date: str | None = None


def wanted_scopes() -> frozenset[str]:
    """Return the scopes that the manifest asks for."""
    manifest = yaml.safe_load((HERE / "slack-manifest.yaml").read_text(encoding="utf-8"))
    return frozenset(manifest["oauth_config"]["scopes"]["bot"])


async def examine_slack(
    *, api_url: str, token: SecretStr, app_token: SecretStr | None, channels: Mapping[str, str], socket: bool
) -> Checked:
    """Look at the token, its scopes, the app's token where `socket`, and `channels` (what each is for, by id)."""
    client = AsyncWebClient(token=token.get_secret_value(), base_url=api_url, timeout=SECONDS, retry_handlers=[])
    try:
        answer = await client.auth_test()
    except FOREIGN as error:
        return Checked(findings=(_refused("token", error, _TOKEN),), date=_header(getattr(error, "response", None), "date"))
    granted = _granted(answer)
    looks = [_channel(client, channel, why, granted) for channel, why in channels.items()]
    if socket and app_token is not None:
        looks.insert(0, _socket(api_url, app_token))
    said = f"{answer.get('user')} in the workspace {answer.get('team')}"
    rest = await asyncio.gather(*looks)
    return Checked(findings=(SLACK.ok("token", said), _scopes(granted), *rest), date=_header(answer, "date"))


async def examine_installation(*, api_url: str, team: str, installations: Installations, channels: Sequence[str]) -> Checked:
    """The same for a workspace that installed the app by OAuth: its token is in the store."""
    try:
        installation = await installations.installation(team)
    except SettingsError as error:
        return Checked(
            findings=(SLACK.fail(team, str(error), "give ATTACHE_SECRET_KEY the key back that sealed the token, behind the new one"),)
        )
    if installation is None:
        said = "has channels that are subscribed, but no installation"
        return Checked(findings=(SLACK.fail(team, said, "have the app installed there again, at https://YOUR.HOST/slack/install"),))
    wanted = dict.fromkeys(channels, f"subscribed in {installation.name}")
    return await examine_slack(api_url=api_url, token=SecretStr(installation.token), app_token=None, channels=wanted, socket=False)


def _granted(answer: Any) -> frozenset[str] | None:  # noqa: ANN401  (slack_sdk's answer)
    """The scopes that Slack names in a header of every answer; None where it does not."""
    said = _header(answer, "x-oauth-scopes")
    return None if said is None else frozenset(filter(None, (scope.strip() for scope in said.split(","))))


def _header(answer: Any, name: str) -> str | None:  # noqa: ANN401  (slack_sdk's answer)
    headers = getattr(answer, "headers", None) or {}
    return next((str(value) for key, value in dict(headers).items() if str(key).casefold() == name), None)


def _scopes(granted: frozenset[str] | None) -> Finding:
    if granted is None:
        return SLACK.warn("scopes", "Slack did not name them", "compare Slack app > OAuth & Permissions with config/slack-manifest.yaml")
    if missing := sorted(wanted_scopes() - granted):
        return SLACK.fail("scopes", f"missing: {', '.join(missing)}", _SCOPES)
    return SLACK.ok("scopes", f"all {len(wanted_scopes())} are there")


async def _socket(api_url: str, app_token: SecretStr) -> Finding:
    """Ask for the address of a web socket, and do not open it."""
    try:
        await AsyncWebClient(base_url=api_url, timeout=SECONDS, retry_handlers=[]).apps_connections_open(
            app_token=app_token.get_secret_value()
        )
    except FOREIGN as error:
        return _refused("app token", error, _APP_TOKEN)
    return SLACK.ok("app token", "Socket Mode is to be had")


async def _channel(client: AsyncWebClient, channel: str, why: str, granted: frozenset[str] | None) -> Finding:
    name = f"channel {channel}"
    try:
        info: dict[str, Any] = (await client.conversations_info(channel=channel))["channel"]
    except FOREIGN as error:
        return _refused(name, error, _MENDS.get(problem_of(error).code, "see the channel's id (channel name > About > Channel ID)"))
    shown = f"#{info.get('name') or channel}, {why}"
    if info.get("is_archived"):
        return SLACK.fail(name, f"{shown}: archived", _MENDS["is_archived"])
    if info.get("is_member") is False:
        return SLACK.fail(name, f"{shown}: the bot is not in it", _MENDS["not_in_channel"])
    if info.get("is_read_only") or info.get("is_frozen"):
        return SLACK.fail(name, f"{shown}: only some people may post", "let the app post: channel settings > Posting Permissions")
    return _may(name, shown, granted)


def _may(name: str, shown: str, granted: Collection[str] | None) -> Finding:
    """Posting, threads and blocks are one scope on Slack, files another."""
    rights = {"post, thread, embed": "chat:write", "attach": "files:write"}
    lacking = [what for what, scope in rights.items() if granted is not None and scope not in granted]
    if lacking:
        return SLACK.fail(name, f"{shown}: may not {', '.join(lacking)}", _SCOPES)
    return SLACK.ok(name, f"{shown}: a member; may {', '.join(rights)}")


def _refused(name: str, error: BaseException, mend: str) -> Finding:
    """Slack's no is mended in its settings, silence in the network."""
    problem = problem_of(error)
    said = isinstance(error, SlackApiError) and not problem.passing
    return SLACK.fail(name, problem.code.replace("_", " "), mend if said else _NETWORK)
