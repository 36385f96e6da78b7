"""Reading `sources.yaml`: a list of {name, url, kind, interval, country?, language?, group?, selectors?}.

`group` is one of official, press and api.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.domain.entries import Kind, Source
from bot.domain.errors import SettingsError


class _Listed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    url: str = Field(pattern=r"^https?://[^\s/]+")
    kind: Kind = Kind.FEED
    interval: int | None = Field(default=None, ge=1, le=86_400)
    country: str | None = None
    language: str | None = None
    group: Literal["official", "press", "api"] | None = None
    selectors: dict[str, str] = Field(default_factory=dict)


_LIST = TypeAdapter(list[_Listed])


def read_sources(path: Path) -> list[Source]:
    """Return the sources of a YAML file. Raises SettingsError that names the place of the mistake."""
    try:
        listed = _LIST.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")) or [])
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError("ATTACHE_SOURCES", f"{path.name} cannot be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError("ATTACHE_SOURCES", f"{path.name}, item {where or '0'}: {first['msg']}") from error
    _named_once(listed, path)
    return [_source(one) for one in listed]


def _named_once(listed: list[_Listed], path: Path) -> None:
    seen: set[str] = set()
    for one in listed:
        if one.name in seen:
            raise SettingsError("ATTACHE_SOURCES", f"{path.name}: the name “{one.name}” stands twice; every source needs its own")
        seen.add(one.name)


def _source(one: _Listed) -> Source:
    values: dict[str, Any] = one.model_dump(exclude={"selectors"})
    return Source(**values, selectors=tuple(sorted(one.selectors.items())))
