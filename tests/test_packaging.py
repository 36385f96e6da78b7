"""What starts Attaché elsewhere names only what is there: roles, settings, files. No image is built here."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import app
from config.settings import Settings

ROOT = Path(__file__).parents[1]
COMMANDS = {command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands}
SETTINGS = {name.upper() for name in Settings.model_fields}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read("compose.yaml"))["services"]
    return found


def test_compose_starts_one_process_by_default_and_every_role_at_scale(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "profiles" not in service] == ["attache"]
    assert services["attache"]["command"] == ["run"]
    assert services["attache"]["environment"]["ATTACHE_DATABASE_URL"].startswith("sqlite+aiosqlite:////data/")
    roles = {name: service for name, service in services.items() if service.get("profiles") == ["scale"] and name != "postgres"}
    assert set(roles) == {"migrate", "clock", "worker", "web", "discord"}
    for name, service in roles.items():
        assert service["command"] == [name]
        assert name in COMMANDS
        assert service["environment"]["ATTACHE_DATABASE_URL"].startswith("postgresql://")
    assert roles["worker"]["deploy"]["replicas"] == 2


def test_compose_sets_settings_that_there_are_and_leaves_no_port_open_to_the_world(services: dict[str, Any]) -> None:
    for service in (s for name, s in services.items() if name != "postgres"):
        assert set(service["environment"]) <= SETTINGS
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "ports" not in services["postgres"]


def test_nothing_starts_before_the_schema_is_made(services: dict[str, Any]) -> None:
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("clock", "worker", "web", "discord"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_the_image_is_nobody_s_root_and_says_how_it_is() -> None:
    lines = re.sub(r"\\\n\s*", "", read("Dockerfile")).splitlines()
    last = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert any(re.fullmatch(r"USER \d+:\d+", line) for line in last)
    assert any(line.startswith("HEALTHCHECK ") and "/healthz" in line for line in last)
    assert last[-2:] == ['ENTRYPOINT ["attache"]', 'CMD ["run"]']
    (environment,) = (line for line in last if line.startswith("ENV "))
    named = set(re.findall(r"\b(ATTACHE_\w+)=", environment))
    assert named <= SETTINGS
    assert not [line for line in lines if re.search(r"curl|wget|TOKEN|SECRET", line) and not line.startswith("#")]


def test_the_health_check_of_the_image_is_python() -> None:
    line = next(line for line in read("Dockerfile").splitlines() if line.strip().startswith("CMD [") and "healthz" in line)
    program = json.loads(line.strip().removeprefix("CMD "))
    assert program[:2] == ["python", "-c"]
    compile(program[2], "healthcheck", "exec")


def test_the_builder_gets_what_it_copies_and_nothing_secret() -> None:
    rules = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("#")]
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", read("Dockerfile"), re.MULTILINE):
        for name in line.split():
            assert name in kept, name
            assert (ROOT / name).exists()
    out = [rule.removeprefix("**/") for rule in rules if rule.startswith("**/")]
    assert all(any(fnmatch(name, rule) for rule in out) for name in (".env", "attache.db", "attache.db-wal", "a.pyc"))


def test_one_click_starts_the_roles_of_the_procfile_with_settings_that_there_are() -> None:
    description = json.loads(read("app.json"))
    roles = {line.partition(":")[0] for line in read("Procfile").splitlines()}
    assert set(description["formation"]) == roles - {"release"}
    assert set(description["env"]) <= SETTINGS
    assert not any("value" in entry for name, entry in description["env"].items() if "TOKEN" in name or "SECRET" in name)


def test_one_click_installs_the_lock_and_the_command() -> None:
    assert [line for line in read("requirements.txt").splitlines() if not line.startswith("#")] == ["-r requirements.lock"]
    hook = ROOT / "bin" / "post_compile"
    assert hook.stat().st_mode & 0o111
    assert "pip install" in hook.read_text(encoding="utf-8")


def test_every_package_of_the_lock_has_its_licence_listed() -> None:
    def folded(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).casefold()

    listed = {folded(line.split("|")[1].strip()) for line in read("docs/licences.md").splitlines() if line.startswith("| ")}
    for line in read("requirements.lock").splitlines():
        if (found := re.match(r"([A-Za-z0-9_.-]+)==\S+( ;.*)?", line)) and found[
            2
        ] is None:  # those of other platforms are not installed here
            assert folded(found[1]) in listed, found[1]
