"""What a driver's error means: whether the database is in trouble, and in which. Everything else is a mistake of ours and goes up as it is."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg

from bot.domain.errors import Trouble

# https://www.sqlite.org/rescode.html; the upper bytes tell more than is needed here
_SQLITE = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_IOERR: Trouble.DISK,
    sqlite3.SQLITE_CANTOPEN: Trouble.READ_ONLY,  # the files beside it cannot be made
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: whole codes, then classes
_POSTGRESQL = {
    "53100": Trouble.FULL,
    "25006": Trouble.READ_ONLY,
    "58030": Trouble.DISK,
    "57P01": Trouble.AWAY,
    "57P02": Trouble.AWAY,
    "57P03": Trouble.AWAY,
    "57P05": Trouble.AWAY,
    "08": Trouble.AWAY,
    "53": Trouble.AWAY,
}


def trouble_of(error: BaseException | None) -> Trouble | None:
    """Return the trouble that an error of sqlite3 or psycopg tells of; None where it tells of none."""
    if isinstance(error, sqlite3.Error):
        code: Any = getattr(error, "sqlite_errorcode", None)
        return None if code is None else _SQLITE.get(code & 0xFF)
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:  # a connection that broke, or never was
        return Trouble.AWAY
    if isinstance(error, psycopg.Error):
        state = error.sqlstate or ""
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    return None
