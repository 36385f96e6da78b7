"""Promises: what the README and the samples name is there, and what is there they name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from bot.cli import app
from config.settings import HERE, Settings
from config.sources_file import read_sources
from handlers.grammar import USAGE, Name

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_each_command_of_the_chat_is_in_the_readme() -> None:
    for name in Name:
        for usage in USAGE[name][0].split(" | "):
            assert f"`{usage}`".replace("|", "\\|") in README, usage


def test_each_command_of_the_command_line_is_in_the_readme() -> None:
    named = {command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands}
    assert {"run", "demo", "ask", "classify", "replay", "why"} <= named
    for name in named:
        assert f"attache {name}" in README, name


def test_each_setting_is_in_the_readme_and_in_the_sample() -> None:
    sample = (ROOT / ".env.example").read_text(encoding="utf-8")
    for field in Settings.model_fields:
        assert f"`{field.upper()}`" in README, field
        assert re.search(rf"^# {field.upper()}=", sample, re.MULTILINE), field


def test_each_dependency_has_its_reason_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = README.partition("## Why each dependency")[2].partition("## To add")[0]
    for requirement in project["dependencies"]:
        name = re.split(r"[\[<>=,]", requirement)[0]
        assert name in reasons, name


def test_the_default_sources_load_and_are_named_once() -> None:
    sources = read_sources(HERE / "sources.yaml")
    assert len({s.name for s in sources}) == len(sources) > 20


def test_the_procfile_starts_what_exists() -> None:
    assert (ROOT / "Procfile").read_text(encoding="utf-8").split() == [
        word
        for role in ("migrate", "clock", "worker", "web", "discord")
        for word in (f"{'release' if role == 'migrate' else role}:", "attache", role)
    ]
