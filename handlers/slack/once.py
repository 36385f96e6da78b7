"""What was seen lately: deliveries that come again and are handled once, people who look at the home tab."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

REMEMBERED = 2_000


class Recent:
    """Remembers the last `most` names, in the order in which they were seen last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._names: OrderedDict[str, None] = OrderedDict()

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._names))

    def see(self, name: str) -> bool:
        """Remember `name`; say whether it was not remembered."""
        new = name not in self._names
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > self._most:
            self._names.popitem(last=False)
        return new


class Once:
    """Says what comes for the first time."""

    def __init__(self) -> None:
        self._seen = Recent(REMEMBERED)

    def first(self, name: str) -> bool:
        """Say whether `name` is seen for the first time, and remember it."""
        return self._seen.see(name)

    def new(self, name: str, headers: Mapping[str, object]) -> bool:
        """Say whether to handle what came under `name`: a delivery marked as a retry counts only if the first one never came.

        https://docs.slack.dev/apis/events-api#retries
        """
        return self.first(name) or not headers.get("x-slack-retry-num")
