"""Settings: a wrong one is named, with its mend, and no secret is ever repeated."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.errors import SettingsError
from config.settings import HERE, SQLITE, Settings, read_settings

SLACK = {"SLACK_BOT_TOKEN": "xoxb-hush", "SLACK_APP_TOKEN": "xapp-hush", "SLACK_ALERT_CHANNEL": "C0123456789"}
DISCORD = {"DISCORD_BOT_TOKEN": "hush.hush", "DISCORD_ALERT_CHANNEL": "42"}
OAUTH = {
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "hush",
    "SLACK_SIGNING_SECRET": "hush",
    "PORT": "3000",
    "ATTACHE_SECRET_KEY": "hush",
}
NAMES = [name.upper() for name in Settings.model_fields]
Setter = Callable[[dict[str, str]], None]


def _without(name: str) -> dict[str, str]:
    return {other: value for other, value in OAUTH.items() if other != name}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Setter:
    """An environment that holds nothing of ours but what is given, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in (*NAMES, "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def set_all(values: dict[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_without_any_setting_it_runs(given: Setter) -> None:
    settings = read_settings()
    assert settings.attache_sources == HERE / "sources.yaml"
    assert settings.admins == frozenset()
    assert (settings.slack_bot_token, settings.discord_bot_token, settings.slack_http) == (None, None, False)


def test_everything_set(given: Setter) -> None:
    given(
        SLACK
        | DISCORD
        | {"ATTACHE_ADMINS": " slack:U1, discord:2,,console:me ", "DISCORD_GUILD": "7", "ATTACHE_ALLOW_PRIVATE_SOURCES": "1"}
    )
    settings = read_settings()
    assert settings.admins == {"slack:U1", "discord:2", "console:me"}
    assert (settings.discord_alert_channel, settings.discord_guild, settings.attache_allow_private_sources) == (42, 7, True)
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-hush"
    assert "hush" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_slack_over_http_needs_no_app_token(given: Setter) -> None:
    given({k: v for k, v in SLACK.items() if k != "SLACK_APP_TOKEN"} | {"SLACK_SIGNING_SECRET": "hush", "PORT": "3000"})
    assert read_settings().slack_http


@pytest.mark.parametrize(("values", "ways_in"), [(SLACK, ("SLACK_APP_TOKEN",)), (OAUTH, ("SLACK_SIGNING_SECRET", "PORT"))])
def test_who_only_posts_needs_no_way_in(given: Setter, values: dict[str, str], ways_in: tuple[str, ...]) -> None:
    given({name: value for name, value in values.items() if name not in ways_in})
    assert read_settings(listening=False).has_slack
    with pytest.raises(SettingsError, match=ways_in[0]):
        read_settings()


def test_an_empty_setting_is_none(given: Setter) -> None:
    given(dict.fromkeys(NAMES, ""))
    assert read_settings() == Settings()


def test_the_env_file_is_read_and_the_environment_wins(given: Setter, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=3000\nATTACHE_ADMINS=slack:U1\nSOMETHING_ELSE=1\n", encoding="utf-8")
    given({"PORT": "4000"})
    settings = read_settings()
    assert (settings.port, settings.admins) == (4000, {"slack:U1"})


def test_with_oauth_slack_needs_no_token(given: Setter) -> None:
    given(OAUTH | {"ATTACHE_SECRET_KEY": "hush-new, hush-old"})
    settings = read_settings()
    assert (settings.has_slack, settings.slack_http, settings.slack_bot_token) == (True, True, None)
    assert [key.get_secret_value() for key in settings.secret_keys] == ["hush-new", "hush-old"]
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("values", "variable", "mend"),
    [
        ({"SLACK_BOT_TOKEN": "hush-hush"}, "SLACK_BOT_TOKEN", "xoxb-"),
        ({"SLACK_BOT_TOKEN": "xapp-hush"}, "SLACK_BOT_TOKEN", "xoxb-"),
        ({"SLACK_BOT_TOKEN": "xoxb-hush"}, "SLACK_ALERT_CHANNEL", "missing"),
        ({"SLACK_APP_TOKEN": "xapp-hush"}, "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN is set"),
        ({"SLACK_SIGNING_SECRET": "hush"}, "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET is set"),
        ({"SLACK_ALERT_CHANNEL": "C0123456789"}, "SLACK_BOT_TOKEN", "SLACK_ALERT_CHANNEL is set"),
        (SLACK | {"SLACK_ALERT_CHANNEL": "#hush"}, "SLACK_ALERT_CHANNEL", "C0123456789"),
        (SLACK | {"SLACK_APP_TOKEN": "xoxb-hush"}, "SLACK_APP_TOKEN", "xapp-"),
        (SLACK | {"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN", "or set SLACK_SIGNING_SECRET and PORT"),
        (SLACK | {"SLACK_APP_TOKEN": "", "PORT": "3000"}, "SLACK_APP_TOKEN", "missing"),
        (SLACK | {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "hush"}, "SLACK_APP_TOKEN", "missing"),
        (SLACK | {"SLACK_ADMIN_GROUP": "two hush words"}, "SLACK_ADMIN_GROUP", "@news-admins"),
        (SLACK | {"SLACK_HOME_TEAM": "hush"}, "SLACK_HOME_TEAM", "T0123456789"),
        *((_without(name), name, "missing") for name in OAUTH),
        (OAUTH | {"SLACK_BOT_TOKEN": "xoxb-hush"}, "SLACK_BOT_TOKEN", "leave it out"),
        (OAUTH | {"SLACK_ALERT_CHANNEL": "C0123456789"}, "SLACK_ALERT_CHANNEL", "/attache subscribe"),
        (SLACK | {"SLACK_API_URL": "hush.example.com"}, "SLACK_API_URL", "https://slack.com/api/"),
        ({"DISCORD_BOT_TOKEN": "hush"}, "DISCORD_ALERT_CHANNEL", "missing"),
        ({"DISCORD_ALERT_CHANNEL": "42"}, "DISCORD_BOT_TOKEN", "DISCORD_ALERT_CHANNEL is set"),
        (DISCORD | {"DISCORD_ALERT_CHANNEL": "#hush"}, "DISCORD_ALERT_CHANNEL", "digits"),
        (DISCORD | {"DISCORD_ALERT_CHANNEL": "0"}, "DISCORD_ALERT_CHANNEL", "digits"),
        (DISCORD | {"DISCORD_GUILD": "hush"}, "DISCORD_GUILD", "digits"),
        (DISCORD | {"DISCORD_API_URL": "ftp://hush"}, "DISCORD_API_URL", "https://discord.com/api/v10"),
        ({"ATTACHE_ADMINS": "hush"}, "ATTACHE_ADMINS", "slack:U…"),
        ({"ATTACHE_ADMINS": "slack:U1,discord:hush"}, "ATTACHE_ADMINS", "discord:123…"),
        ({"ATTACHE_SOURCES": "hush.yaml"}, "ATTACHE_SOURCES", "sources.yaml"),
        ({"ATTACHE_ALLOW_PRIVATE_SOURCES": "hush"}, "ATTACHE_ALLOW_PRIVATE_SOURCES", "boolean"),
        ({"ATTACHE_RETENTION_DAYS": "-1"}, "ATTACHE_RETENTION_DAYS", "0 (for ever)"),
        ({"ATTACHE_HTTP_PORT": "hush"}, "ATTACHE_HTTP_PORT", "1 to 65535"),
        ({"ATTACHE_HTTP_PORT": "3000", "PORT": "3000"}, "ATTACHE_HTTP_PORT", "other than PORT"),
        ({"ATTACHE_LOG": "hush"}, "ATTACHE_LOG", "auto, json or text"),
        ({"PORT": "0"}, "PORT", "1 to 65535"),
        ({"PORT": "65536"}, "PORT", "1 to 65535"),
        ({"PORT": "hush"}, "PORT", "1 to 65535"),
    ],
)
def test_a_wrong_setting_is_named(given: Setter, values: dict[str, str], variable: str, mend: str) -> None:
    given(values)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    error = caught.value
    assert error.variable == variable
    assert str(error).startswith(f"{variable}: ")
    assert mend in str(error)
    assert "\n" not in str(error)
    assert "hush" not in str(error).replace("hush.yaml", ""), "only the name of a file is repeated"
    assert error.__suppress_context__ or error.__context__ is None, "the original would repeat the value"


def test_the_database_is_where_the_host_says_unless_we_are_told(given: Setter) -> None:
    assert read_settings().attache_database_url == SQLITE
    given({"DATABASE_URL": "postgres://u:hush@db/attache"})
    assert read_settings().attache_database_url == "postgres://u:hush@db/attache"
    given({"ATTACHE_DATABASE_URL": "sqlite+aiosqlite:///other.db"})
    assert read_settings().attache_database_url == "sqlite+aiosqlite:///other.db"


def test_every_secret_is_known_to_the_log(given: Setter) -> None:
    assert read_settings().secrets == frozenset()
    given(OAUTH | DISCORD | {"ATTACHE_DATABASE_URL": "postgresql://u:p%40ss@db/attache", "ATTACHE_METRICS_TOKEN": "m-hush"})
    settings = read_settings()
    named = {value.get_secret_value() for value in vars(settings).values() if isinstance(value, SecretStr)}
    assert settings.secrets == {*named, *(key.get_secret_value() for key in settings.secret_keys), "p%40ss", "p@ss"}
    assert named == {"hush", "hush.hush", "m-hush"}


def test_an_env_file_that_cannot_be_read_is_named(given: Setter, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SLACK_BOT_TOKEN=xoxb-hush\nATTACHE_ADMINS=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"^\.env: ") as caught:
        read_settings()
    assert "hush" not in str(caught.value)


def test_the_example_names_every_setting_and_nothing_else() -> None:
    example = (HERE.parent / ".env.example").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, re.MULTILINE)) == sorted(NAMES)
    assert not re.search(r"^[A-Z_]+=", example, re.MULTILINE), "as it stands it sets nothing"
