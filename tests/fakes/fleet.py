"""Processes of one installation, which are killed and started anew, and the settings that lead them to the local platforms."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.slack_server import FakeSlack

ROOT = Path(__file__).parents[2]
TCP = Path("/proc/net/tcp")


class Fleet:
    """Processes by name, such as worker-2 or run; `kill` ends one as a power cut would, and starts it anew. An async context manager."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env)
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Fleet:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, name: str) -> None:
        """Start `attache ROLE` under a name that begins with the role."""
        self._processes[name] = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            name.partition("-")[0],
            env=self._env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def once(self, role: str) -> int:
        """Run a role that ends by itself; return its exit code."""
        await self.start(role)
        return await self._processes.pop(role).wait()

    async def kill(self, name: str) -> None:
        """Kill a process and start it again."""
        await self.end(name)
        await self.start(name)

    async def end(self, name: str) -> None:
        """Kill a process. Raises AssertionError where it had ended by itself."""
        process = self._processes[name]
        assert process.returncode is None, f"{name} ended by itself with {process.returncode}"
        process.kill()
        await process.wait()

    def pid(self, name: str) -> int:
        """Return the number of a process."""
        return self._processes[name].pid

    def who(self, port: int) -> str | None:
        """Return the name of the process that holds the connection with this local port; None where that cannot be told (Linux tells)."""
        with suppress(OSError):
            inodes = [line.split()[9] for line in TCP.read_text().splitlines()[1:] if int(line.split()[1].rpartition(":")[2], 16) == port]
            for name, process in self._processes.items():
                held = {os.readlink(entry) for entry in Path(f"/proc/{process.pid}/fd").iterdir()}
                if held & {f"socket:[{inode}]" for inode in inodes if inode != "0"}:
                    return name
        return None

    async def stop(self) -> None:
        """End all of them."""
        for process in self._processes.values():
            if process.returncode is None:
                process.kill()
            await process.wait()


def settings(folder: Path, *, url: str, feed: str, slack: FakeSlack, discord: FakeDiscord) -> dict[str, str]:
    """Return the environment of an installation that polls one feed every second, and alerts channel C1 there and 100 here."""
    sources = folder / "sources.yaml"
    sources.write_text(f"- {{name: Paper, url: '{feed}', kind: feed, interval: 1}}\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "ATTACHE_SOURCES": str(sources),
        "ATTACHE_ALLOW_PRIVATE_SOURCES": "1",
        "ATTACHE_DATABASE_URL": url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_ALERT_CHANNEL": "C1",
        "SLACK_API_URL": slack.api_url,
        "DISCORD_BOT_TOKEN": TOKEN,
        "DISCORD_ALERT_CHANNEL": "100",
        "DISCORD_API_URL": discord.api_url,
    }
