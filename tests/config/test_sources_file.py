"""`sources.yaml`: what it may say, and where a mistake is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.entries import Kind, Source
from bot.domain.errors import SettingsError
from config.settings import HERE
from config.sources_file import read_sources

GOOD = "{name: Wire, url: https://example.com/feed}"


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_sources(tmp_path: Path) -> None:
    text = f"- {GOOD}\n- name: Page\n  url: http://example.org\n  kind: page\n  interval: 60\n  country: IND\n  selectors: {{title: h2, item: li}}\n"
    first, second = read_sources(written(tmp_path, text))
    assert first == Source(name="Wire", url="https://example.com/feed")
    assert (second.kind, second.interval, second.country) == (Kind.PAGE, 60, "IND")
    assert second.selectors == (("item", "li"), ("title", "h2"))


@pytest.mark.parametrize("text", ["", "[]", "# nothing yet\n"])
def test_an_empty_list(tmp_path: Path, text: str) -> None:
    assert read_sources(written(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {name: Wire", "cannot be read"),
        ("name: Wire", "item 0"),
        ("- {url: https://example.com}", r"item 0\.name"),
        (f"- {GOOD}\n- {{name: '', url: https://example.com}}", r"item 1\.name"),
        ("- {name: Wire, url: ftp://example.com}", r"item 0\.url"),
        ("- {name: Wire, url: example.com}", r"item 0\.url"),
        ("- {name: Wire, url: https://example.com, kind: smoke}", r"item 0\.kind"),
        ("- {name: Wire, url: https://example.com, interval: 0}", r"item 0\.interval"),
        ("- {name: Wire, url: https://example.com, interval: soon}", r"item 0\.interval"),
        ("- {name: Wire, url: https://example.com, colour: red}", r"item 0\.colour"),
        (f"- {GOOD}\n- {GOOD}", "“Wire” stands twice"),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=rf"^ATTACHE_SOURCES: mine\.yaml.*{says}") as caught:
        read_sources(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.yaml cannot be read"):
        read_sources(tmp_path / "missing.yaml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_sources(path)


def test_the_list_that_ships() -> None:
    shipped = read_sources(HERE / "sources.yaml")
    assert len({s.url for s in shipped}) == len(shipped) > 10
    assert {Kind.FEED, Kind.GDELT} <= {s.kind for s in shipped}
    assert all(s.url.startswith("https://") and s.interval >= 60 for s in shipped)
