"""What Slack delivers again is handled once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

REMEMBERED = 2_000


class Once:
    """Remembers the last REMEMBERED names."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()

    def first(self, name: str) -> bool:
        """Say whether `name` is seen for the first time, and remember it."""
        if name in self._names:
            return False
        self._names[name] = None
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)
        return True

    def new(self, name: str, headers: Mapping[str, object]) -> bool:
        """Say whether to handle what came under `name`: a delivery marked as a retry counts only if the first one never came.

        https://docs.slack.dev/apis/events-api#retries
        """
        return self.first(name) or not headers.get("x-slack-retry-num")
