"""Settings, read once at the composition root from the environment and `.env`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.errors import SettingsError

HERE = Path(__file__).parent
SQLITE = "sqlite+aiosqlite:///attache.db"
SLACK_API = "https://slack.com/api/"
DISCORD_API = "https://discord.com/api/v10"
_ADMIN = re.compile(r"^(?:slack:[UW][A-Z0-9]+|discord:\d+|console:\w+)$")
_MENDS = {
    "SLACK_BOT_TOKEN": "expected the bot token, which starts with xoxb- (Slack app > OAuth & Permissions)",
    "SLACK_APP_TOKEN": "expected the app-level token, which starts with xapp- (Slack app > Basic Information > App-Level Tokens)",
    "SLACK_ALERT_CHANNEL": "expected a channel id such as C0123456789 (channel name > About > Channel ID)",
    "SLACK_ADMIN_CHANNEL": "expected a channel id such as C0123456789, for notices to the admins",
    "DISCORD_ADMIN_CHANNEL": "expected a channel id of digits, for notices to the admins",
    "ATTACHE_POLL_FASTEST": "expected seconds from 10 to 86400",
    "ATTACHE_POLL_SLOWEST": "expected seconds from 10 to 86400, not below ATTACHE_POLL_FASTEST",
    "SLACK_ADMIN_GROUP": "expected the handle or id of a user group, such as @news-admins or S0123456789",
    "SLACK_HOME_TEAM": "expected a workspace id such as T0123456789",
    "SLACK_CLIENT_ID": "copy it from Slack app > Basic Information > App Credentials",
    "SLACK_CLIENT_SECRET": "copy it from Slack app > Basic Information > App Credentials",
    "SLACK_API_URL": "expected an address such as https://slack.com/api/",
    "DISCORD_ALERT_CHANNEL": "expected a channel id of digits (Developer Mode on, then right-click the channel > Copy Channel ID)",
    "DISCORD_ADMIN_ROLE": "expected the name or id of a role, not @everyone",
    "DISCORD_GUILD": "expected a server id of digits, or leave it out",
    "DISCORD_API_URL": "expected an address such as https://discord.com/api/v10",
    "ATTACHE_RETENTION_DAYS": "expected days from 0 (for ever) to 3650",
    "ATTACHE_HTTP_PORT": "expected a port from 1 to 65535, other than PORT; or leave it out",
    "ATTACHE_LOG": "expected auto, json or text",
    "ATTACHE_SECRET_KEY": "make a key as the README's table of settings says",
    "ATTACHE_ADMINS": "expected a comma list of slack:U… and discord:123…",
    "ATTACHE_SOURCES": "expected the path of a readable sources.yaml",
    "ATTACHE_MODEL": "expected a model folder, or the name of a zero-shot model",
    "ATTACHE_SUMMARY_MODEL": "expected the folder or name of a seq2seq model, or leave it out for extracts",
    "PORT": "expected a port from 1 to 65535",
}


class Settings(BaseSettings):
    """Every setting that Attaché knows. Secrets are SecretStr: printing or logging one shows stars."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    attache_database_url: str = Field(default_factory=lambda: os.environ.get("DATABASE_URL") or SQLITE)  # as hosts name it
    attache_sources: Path = HERE / "sources.yaml"
    attache_admins: str = ""
    attache_model: str = str(HERE / "model")
    attache_summary_model: str | None = None
    attache_poll_fastest: int = Field(default=60, ge=10, le=86_400)
    attache_poll_slowest: int = Field(default=1_800, ge=10, le=86_400)
    attache_allow_private_sources: bool = False
    attache_retention_days: int = Field(default=30, ge=0, le=3_650)
    attache_http_port: int | None = Field(default=None, ge=1, le=65_535)
    attache_metrics_token: SecretStr | None = None
    attache_log: Literal["auto", "json", "text"] = "auto"
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_alert_channel: str | None = None
    slack_admin_channel: str | None = None
    slack_admin_group: str | None = Field(default=None, pattern=r"^@?[\w.-]{1,80}$")
    slack_client_id: str | None = None
    slack_client_secret: SecretStr | None = None
    slack_home_team: str | None = Field(default=None, pattern=r"^[TE][A-Z0-9]+$")
    attache_secret_key: SecretStr | None = None
    slack_api_url: str = SLACK_API
    discord_bot_token: SecretStr | None = None
    discord_alert_channel: int | None = Field(default=None, gt=0)
    discord_admin_channel: int | None = Field(default=None, gt=0)
    discord_guild: int | None = Field(default=None, gt=0)
    discord_admin_role: str | None = Field(default=None, min_length=1, max_length=100, pattern=r"^[^@]")
    discord_api_url: str = DISCORD_API
    port: int | None = Field(default=None, ge=1, le=65535)

    @field_validator("attache_admins")
    @classmethod
    def _admins_are_named(cls, value: str) -> str:
        for admin in filter(None, (a.strip() for a in value.split(","))):
            if not _ADMIN.match(admin):
                raise ValueError(f"{admin!r} is not slack:U… or discord:123…")
        return value

    @field_validator("slack_alert_channel", "slack_admin_channel")
    @classmethod
    def _channel_is_an_id(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[CGD][A-Z0-9]+", value):
            raise ValueError("not a channel id")
        return value

    @field_validator("slack_api_url", "discord_api_url")
    @classmethod
    def _address_is_http(cls, value: str) -> str:
        if not re.match(r"https?://[^/]+", value):
            raise ValueError("not an http address")
        return value

    @property
    def admins(self) -> frozenset[str]:
        """The actors that are admins whatever the platform says: `slack:U…`, `discord:123…`."""
        return frozenset(filter(None, (a.strip() for a in self.attache_admins.split(","))))

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret among the settings, word for word, for the log to leave out: the database's password too."""
        values = (getattr(self, name) for name in type(self).model_fields)
        own = {value.get_secret_value() for value in (*values, *self.secret_keys) if isinstance(value, SecretStr)}
        password = re.search(r"://[^:/@]*:(.*)@", self.attache_database_url)
        return frozenset({*own, *((password[1], unquote(password[1])) if password else ())} - {""})

    @property
    def slack_http(self) -> bool:
        """Slack comes in over HTTP rather than Socket Mode."""
        return self.slack_signing_secret is not None and self.port is not None

    @property
    def has_slack(self) -> bool:
        """There is a token for Slack, or workspaces install the app by OAuth."""
        return self.slack_bot_token is not None or self.slack_client_id is not None

    @property
    def secret_keys(self) -> list[SecretStr]:
        """The keys that seal tokens at rest, the newest first."""
        keys = self.attache_secret_key.get_secret_value() if self.attache_secret_key else ""
        return [SecretStr(key.strip()) for key in keys.split(",") if key.strip()]


def read_settings(*, listening: bool = True) -> Settings:
    """Read and check the settings. Raises SettingsError with one line that names the variable and the mend.

    Without `listening` nothing is asked of Slack's way in: platforms give PORT to the process that serves, and not to those that only post.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise _named(error) from None  # the original repeats the value, which may be a secret
    except (OSError, UnicodeDecodeError):
        raise SettingsError(".env", "cannot be read; expected UTF-8 text that this user may read") from None
    if settings.attache_poll_slowest < settings.attache_poll_fastest:
        raise SettingsError("ATTACHE_POLL_SLOWEST", _MENDS["ATTACHE_POLL_SLOWEST"])
    if settings.attache_http_port is not None and settings.attache_http_port == settings.port:
        raise SettingsError("ATTACHE_HTTP_PORT", f"{settings.port} is PORT too; {_MENDS['ATTACHE_HTTP_PORT']}")
    _check_slack(settings, listening=listening)
    _check_discord(settings)
    if not settings.attache_sources.is_file():
        raise SettingsError("ATTACHE_SOURCES", f"there is no file {settings.attache_sources}; {_MENDS['ATTACHE_SOURCES']}")
    return settings


def _named(error: ValidationError) -> SettingsError:
    first = error.errors()[0]
    variable = str(first["loc"][0]).upper() if first["loc"] else "settings"
    return SettingsError(variable, _MENDS.get(variable, first["msg"]))


def _check_slack(settings: Settings, *, listening: bool) -> None:
    if settings.slack_client_id is not None or settings.slack_client_secret is not None:
        _check_slack_oauth(settings, listening=listening)
        return
    if settings.slack_bot_token is None:
        for name in ("slack_app_token", "slack_signing_secret", "slack_alert_channel", "slack_admin_channel"):
            if getattr(settings, name) is not None:
                raise SettingsError("SLACK_BOT_TOKEN", f"{name.upper()} is set but this is missing; {_MENDS['SLACK_BOT_TOKEN']}")
        return
    _starts(settings.slack_bot_token, "SLACK_BOT_TOKEN", "xoxb-")
    if settings.slack_alert_channel is None:
        raise SettingsError("SLACK_ALERT_CHANNEL", f"missing; {_MENDS['SLACK_ALERT_CHANNEL']}")
    if listening and not settings.slack_http:
        _check_slack_socket(settings)


def _check_slack_socket(settings: Settings) -> None:
    if settings.slack_app_token is None:
        raise SettingsError("SLACK_APP_TOKEN", f"missing; {_MENDS['SLACK_APP_TOKEN']}; or set SLACK_SIGNING_SECRET and PORT for HTTP mode")
    _starts(settings.slack_app_token, "SLACK_APP_TOKEN", "xapp-")


def _check_slack_oauth(settings: Settings, *, listening: bool) -> None:
    """Many workspaces: each has a token of its own, and its channels subscribe themselves."""
    why = "with SLACK_CLIENT_ID many workspaces install the app"
    needed = ("slack_client_id", "slack_client_secret", "attache_secret_key", *(("slack_signing_secret", "port") if listening else ()))
    for name in needed:
        if getattr(settings, name) is None:
            raise SettingsError(name.upper(), f"missing; {why}, over HTTP; {_MENDS.get(name.upper(), 'see the README')}")
    for name in ("slack_bot_token", "slack_app_token", "slack_alert_channel", "slack_admin_channel"):
        if getattr(settings, name) is not None:
            raise SettingsError(name.upper(), f"leave it out: {why}, each with a token of its own; channels use /attache subscribe")


def _starts(secret: SecretStr, variable: str, prefix: str) -> None:
    if not secret.get_secret_value().startswith(prefix):
        raise SettingsError(variable, _MENDS[variable])


def _check_discord(settings: Settings) -> None:
    if settings.discord_bot_token is None:
        if settings.discord_alert_channel is not None:
            raise SettingsError(
                "DISCORD_BOT_TOKEN", "DISCORD_ALERT_CHANNEL is set but this is missing; copy it from the developer portal > Bot"
            )
        return
    if settings.discord_alert_channel is None:
        raise SettingsError("DISCORD_ALERT_CHANNEL", f"missing; {_MENDS['DISCORD_ALERT_CHANNEL']}")
