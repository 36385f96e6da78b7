"""How long an entry without a development is kept. Pure.

An entry's names (`identities`) are how it is known again, and they go with it. An entry that goes while its source still lists it would come in
as new at the next poll, and where it bears no date, be alerted as news of today. So an entry stays for as long as its source lists it: intake
marks what is old and still listed, once a day, which costs nothing for a busy feed, whose listing is younger than that. An entry goes when it
was neither seen nor listed for the whole time and its source has since shown a listing without it. A source that answers 304, fails, or is on
pause shows none; what it had stays, for a year at most.
"""

from __future__ import annotations

from datetime import datetime, timedelta

MARKED_AGAIN = timedelta(days=1)  # how often it is noted that an old entry is still listed
WITHOUT = timedelta(days=2)  # a listing so long after an entry was last noted had it no more; longer than MARKED_AGAIN
AT_MOST = timedelta(days=365)  # whatever its source does


def is_to_be_marked(*, last: datetime, now: datetime) -> bool:
    """Say whether it is to be noted that an entry, last seen or marked at `last`, is listed at `now`."""
    return now - last > MARKED_AGAIN


def may_go(*, last: datetime, listing: datetime | None, now: datetime, days: int) -> bool:
    """Say whether an entry, last seen or marked at `last`, may go; `listing` is when its source last listed anything at all."""
    if now - last <= timedelta(days=days):
        return False
    dropped = listing is not None and listing - last > WITHOUT
    return dropped or now - last > max(AT_MOST, timedelta(days=days))
