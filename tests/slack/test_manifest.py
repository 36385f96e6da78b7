"""The manifest asks for what the code uses, and for nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml
from slack_sdk.web.async_client import AsyncWebClient

import handlers.slack
from config.settings import HERE
from handlers.slack.installing import SCOPES
from handlers.slack.listener import COMMAND

ROOM = Path(handlers.slack.__file__).parent
MANIFEST = yaml.safe_load((HERE / "slack-manifest.yaml").read_text(encoding="utf-8"))

# The scopes that a method needs, for channels and users as we use it: https://docs.slack.dev/reference/methods
NEEDS: dict[str, set[str]] = {
    "apps_connections_open": set(),  # the app-level token's connections:write
    "auth_test": set(),
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": {"channels:history", "groups:history"},
    "files_upload_v2": {"files:write"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
}


def tree_of(room: Path) -> list[ast.AST]:
    return [node for file in room.glob("*.py") for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]


def called() -> set[str]:
    """The Web API methods that the code names on a client."""
    names = {node.attr for node in tree_of(ROOM) if isinstance(node, ast.Attribute)}
    return {name for name in names if "_" in name and hasattr(AsyncWebClient, name) and not name.startswith("_")}


def heard(kind: str) -> set[str]:
    """What the code registers: `app.event("…")`."""
    calls = [node for node in tree_of(ROOM) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    found = [c.args[0] for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == kind and c.args]
    return {x.value for x in found if isinstance(x, ast.Constant) and isinstance(x.value, str)}


def test_each_method_that_is_called_is_known_with_its_scopes() -> None:
    assert called() == set(NEEDS)


def test_the_scopes_are_those_of_the_calls_and_of_the_command() -> None:
    wanted = {"commands"}.union(*(NEEDS[name] for name in called()))
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == wanted
    assert set(SCOPES) == wanted
    assert len(MANIFEST["oauth_config"]["scopes"]["bot"]) == len(SCOPES) == len(wanted)


def test_the_events_are_those_that_are_heard() -> None:
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == heard("event")


def test_the_command_the_home_tab_and_the_buttons_are_switched_on() -> None:
    features = MANIFEST["features"]
    assert [c["command"] for c in features["slash_commands"]] == [COMMAND]
    assert all(c["should_escape"] for c in features["slash_commands"])
    assert features["app_home"]["home_tab_enabled"] is True
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True
    assert MANIFEST["settings"]["socket_mode_enabled"] is True


def test_it_keeps_the_documented_limits() -> None:
    """https://docs.slack.dev/reference/app-manifest"""
    shown, (command,) = MANIFEST["display_information"], MANIFEST["features"]["slash_commands"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert len(shown["long_description"]) >= 174
    assert len(MANIFEST["features"]["bot_user"]["display_name"]) <= 80
    assert len(command["description"]) <= 2_000
    assert len(command["usage_hint"]) <= 1_000


def test_the_commented_lines_make_the_other_modes() -> None:
    lines = (HERE / "slack-manifest.yaml").read_text(encoding="utf-8").splitlines()
    other = [re.sub(r"# (.*?) +# (?:HTTP|OAUTH)$", r"\1", line) for line in lines]
    manifest = yaml.safe_load("\n".join(other))
    events = "https://YOUR.HOST/slack/events"
    assert manifest["features"]["slash_commands"][0]["url"] == events
    assert manifest["settings"]["event_subscriptions"]["request_url"] == events
    assert manifest["settings"]["interactivity"]["request_url"] == events
    assert manifest["oauth_config"]["redirect_urls"] == ["https://YOUR.HOST/slack/oauth_redirect"]
    assert manifest["oauth_config"]["scopes"] == MANIFEST["oauth_config"]["scopes"]
