"""A copy of the database while everything runs: `attache backup FILE`."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError

from bot.domain.errors import SettingsError, UsageError
from bot.storage.database import INTACT, database_url

DUMP = "PostgreSQL makes its own: pg_dump --format=custom --file=FILE --dbname=postgresql://USER@HOST/NAME, and pg_restore"


def backup(url: str, to: Path) -> int:
    """Copy an SQLite database to a new file and return its size in bytes. The copy is of one moment, whatever is written meanwhile.

    `to` is there when the copy is whole, or not at all; only this user may read it, for it holds what the database holds.
    Raises SettingsError for a database that is no file of ours, UsageError for a file that cannot be made.
    """
    source = _file(url)
    part = to.with_name(f"{to.name}.part")
    if to.exists():
        raise UsageError(f"{to} is there already: name another file")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _copy(source, part)
            part.rename(to)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        raise UsageError(f"{part} is there: another backup is being made, or one was broken off; then remove it") from None
    except OSError as error:
        raise UsageError(f"{to} cannot be written: {error.strerror}") from error
    except sqlite3.Error as error:
        raise UsageError(f"no backup was made: {error}") from error
    return to.stat().st_size


def _file(url: str) -> Path:
    try:
        parsed: URL = database_url(url)
    except ArgumentError as error:
        raise SettingsError("ATTACHE_DATABASE_URL", "this is no address of a database") from error
    if parsed.get_backend_name() == "postgresql":
        raise UsageError(DUMP)
    file = Path(parsed.database or "")
    if not file.is_file():  # to connect would make an empty one
        raise SettingsError("ATTACHE_DATABASE_URL", f"there is no file {file} to make a backup of")
    return file


def _copy(source: Path, target: Path) -> None:
    """All pages in one step: in WAL mode a reader holds up no writer, and a backup in many steps begins anew with every write."""
    with closing(sqlite3.connect(source, timeout=10)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new, pages=-1)
        said = new.execute(INTACT).fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(f"the database is damaged: {said}")
