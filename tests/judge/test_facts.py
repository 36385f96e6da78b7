"""People and facts in texts of our own: who takes part, where, and on which day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.domain.assessment import Person
from bot.domain.topics import Status
from bot.judge.people import People
from tests.judge.kit import entry, facts, people

FILE = """
people:
  - {name: Ada Roe, short: [Roe], party: IND, office: Rice Minister, since: 2020-03, until: 2024-10}
  - {name: Bo Poe, short: [Poe], also: [B. Poe], party: IND, office: Rice Minister, since: 2024-11}
  - {name: Ada Roe, party: IND, office: Prime Minister, since: 2024-12}
  - {name: Zoë Élan, party: FRA, office: Tea Minister, since: 2021-01, until: 2023-12}
  - {name: Omar el-Tani, short: [el-Tani], party: EGY, office: Tea Minister, since: 2021-01}
others: [Lou Roe]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> People:
    path: Path = tmp_path_factory.mktemp("people") / "people.yaml"
    path.write_text(FILE, encoding="utf-8")
    return People(path)


def said(found: list[object]) -> list[Person]:
    return [n.person for n in found]  # type: ignore[attr-defined]  # all of them are people here


@pytest.mark.parametrize(
    ("text", "day", "found"),
    [
        ("Roe speaks", date(2022, 1, 1), [("Ada Roe", "Rice Minister")]),
        ("Roe speaks", date(2020, 3, 1), [("Ada Roe", "Rice Minister")]),
        ("Roe speaks", date(2020, 2, 28), []),
        ("Roe speaks", date(2024, 10, 31), [("Ada Roe", "Rice Minister")]),
        ("Roe speaks", date(2024, 11, 1), []),
        ("Ada Roe speaks", date(2024, 11, 15), []),
        ("Ada Roe speaks", date(2025, 1, 1), [("Ada Roe", "Prime Minister")]),
        ("B. Poe speaks", date(2030, 1, 1), [("Bo Poe", "Rice Minister")]),
        ("Zoe Elan speaks", date(2023, 12, 31), [("Zoë Élan", "Tea Minister")]),
        ("Zoë Élan speaks", date(2024, 1, 1), []),
        ("Roe meets Élan, says Roe’s aide", date(2022, 1, 1), [("Ada Roe", "Rice Minister")]),
        ("a roe deer", date(2022, 1, 1), []),
        ("Roebuck and Monroe", date(2022, 1, 1), []),
        ("Lou Roe, a singer, and Roe", date(2022, 1, 1), [("Ada Roe", "Rice Minister")]),
        ("a word of el-Tani and El-Tani", date(2022, 1, 1), [("Omar el-Tani", "Tea Minister")]),
        ("a word of el-tani", date(2022, 1, 1), []),
    ],
)
def test_offices_are_those_of_the_day(house: People, text: str, day: date, found: list[tuple[str, str]]) -> None:
    assert [(p.name, p.office) for p in said(list(house.scan(text, day)))] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Foreign Minister Ivo Quill arrived", [("Ivo Quill", "Foreign Minister")]),
        ("Sudland's Minister of State for Trade said Deputy Prime Minister Ana de Witt's car", [("Ana de Witt", "Deputy Prime Minister")]),
        ("President Lu Ming and Trade Secretary Dr. Ed Moss", [("Lu Ming", "President"), ("Ed Moss", "Trade Secretary")]),
        ("Prime Minister Meets Trade Union", []),
        ("Foreign Minister Ivo Quill Says No", [("Ivo Quill", "Foreign Minister")]),
        ("Talks With Rice Minister After Being Warned", []),
        ("the Sudland prime minister, Ivo Quill, arrived", [("Ivo Quill", "prime minister")]),
        ("the prime minister, Ivo Quill and others said", []),
        ("Ivo Quill, Sudland's foreign minister, arrived", [("Ivo Quill", "foreign minister")]),
        ("Ivo Quill, Foreign Minister Ana Witt's guest", [("Ana Witt", "Foreign Minister")]),
        ("Trade, Industry and Competition Minister Ivo Quill", [("Ivo Quill", "Trade, Industry and Competition Minister")]),
        ("former foreign minister Ivo Quill", [("Ivo Quill", "former foreign minister")]),
        ("Acting President Ivo Quill", [("Ivo Quill", "Acting President")]),
        ("Ambassador to India Ivo Quill", [("Ivo Quill", "Ambassador to India")]),
        ("PM Ivo Quill", [("Ivo Quill", "PM")]),
        ("PM Modi In New Sudland Says", []),
        ("Ivo Quill arrived", []),
        ("Rice Minister Ada Roe", [("Ada Roe", "Rice Minister")]),
    ],
)
def test_people_with_their_office_beside_them(house: People, text: str, found: list[tuple[str, str]]) -> None:
    assert [(p.name, p.office) for p in said(list(house.scan(text, date(2022, 1, 1))))] == found


def test_a_former_holder_is_who_the_text_says(house: People) -> None:
    (person,) = said(list(house.scan("Special Envoy Ada Roe lands", date(2024, 11, 15))))
    assert person == Person(name="Ada Roe", office="Special Envoy")


def test_the_file_that_ships_can_be_read() -> None:
    (first, second) = said(list(people().scan("Blinken calls Jaishankar", date(2024, 6, 1))))
    assert (first.office, first.country) == ("Secretary of State", "USA")
    assert (second.office, second.country) == ("External Affairs Minister", "IND")
    assert [p.name for p in said(list(people().scan("Rubio calls, Blinken listens", date(2026, 3, 1))))] == ["Marco Rubio"]


@pytest.mark.parametrize(
    ("title", "summary", "parties"),
    [
        ("India and Japan sign rice pact", "Brazil and France looked on.", ("IND", "JPN")),
        ("Japan and India sign rice pact", "", ("JPN", "IND")),
        ("India signs rice pact", "The pact with Japan, long opposed by France, was signed.", ("IND", "JPN")),
        ("Rice pact signed", "India, Japan and Brazil signed.", ("IND", "JPN", "BRA")),
        ("India signs rice pact", "It was signed with Japan and Brazil.", ("IND", "JPN", "BRA")),
        ("India and Kenya sign", "Envoys of India, Japan and Brazil dined.", ("IND", "KEN", "JPN", "BRA")),
        ("India and Kenya sign", "India and Japan dined.", ("IND", "KEN")),
        ("India hosts Japan over Russian oil", "", ("IND", "JPN")),
        ("Kenya-Chad war: Chad tells India", "", ("TCD", "IND")),
        ("Kenya-Chad war at a glance", "India and Chad speak.", ("TCD", "IND")),
        ("Kenya-Chad war at a glance", "", ("KEN", "TCD")),
        ("Jaishankar holds talks in Nairobi", "", ("IND", "KEN")),
        ("Jaishankar lands in Nairobi", "Brazil looked on.", ("IND", "KEN")),
        ("Jaishankar speaks in Vienna", "", ("IND",)),
        ("Jaishankar at the G20", "", ("IND", "G20")),
        ("Modi meets Kenyan PM Ivo Quill", "", ("IND", "KEN")),
        ("India and Japan talk in France", "", ("IND", "JPN")),
        ("Rice fair opens in France", "", ("FRA",)),
        ("Talks in Beijing: India and Japan agree", "", ("IND", "JPN")),
        ("Beijing and Tokyo agree", "", ("CHN", "JPN")),
        ("India, Japan, Brazil, France, Kenya meet", "", ("IND", "JPN", "BRA", "FRA")),
        ("Jaishankar calls Rubio", "", ("IND", "USA")),
        ("Weather holds", "Sunshine ahead.", ()),
    ],
)
def test_parties(title: str, summary: str, parties: tuple[str, ...]) -> None:
    assert facts().read(entry(title, summary), None).parties == parties


@pytest.mark.parametrize(
    ("title", "summary", "place"),
    [
        ("Ministers meet in Geneva", "", "Geneva"),
        ("Ministers meet", "The talks in New Delhi end today.", "New Delhi"),
        ("Ministers meet in Japan", "They dined in Osaka.", "Osaka"),
        ("Ministers meet in Japan", "", "Japan"),
        ("Minister leaves for Geneva", "", None),
        ("Minister visits Kenya", "", "Kenya"),
        ("Minister on Kenya visit", "", "Kenya"),
        ("Minister ends trip to Kenya", "She slept in Osaka.", "Osaka"),
        ("Ministers end Osaka rice pact", "", None),
        ("Ministers end Osaka peace talks", "", "Osaka"),
        ("Ministers speak of rice grown in Kenya", "", None),
        ("A significant yield in Kenya, they agree", "", None),
        ("Ministers meet, and speak of the war in Kenya", "", None),
        ("Ministers meet in Kenyan style", "", None),
        ("Modi in Kenya: live", "", "Kenya"),
        ("Ministers meet in Kenya's Nairobi", "", "Nairobi"),
        ("Beijing objects", "", None),
    ],
)
def test_place(title: str, summary: str, place: str | None) -> None:
    assert facts().read(entry(title, summary), Status.HELD).place == place


def test_a_trade_entry_without_a_meeting_has_no_place() -> None:
    assert facts().read(entry("Rice pact helps mills in Osaka"), None).place is None
    assert facts().read(entry("Rice pact signed in Osaka"), None).place == "Osaka"


OLD = "Minister Ada Roe waves in Nairobi, Kenya, on Jan. 9, 2024. (Jo Doe/Some Images)"
NEW = OLD.replace("Jan. 9, 2024", "March 3, 2026")


@pytest.mark.parametrize(
    ("caption", "place", "when"),
    [
        (OLD, None, None),
        (f"{OLD} They met in Osaka on Monday.", "Osaka", date(2026, 3, 2)),
        (f"They met in Osaka. {OLD}", "Osaka", None),
        (NEW, "Nairobi", date(2026, 3, 3)),
        (OLD.replace("Jan. 9, 2024", "Feb. 30, 2024"), "Nairobi", None),
    ],
)
def test_the_caption_of_an_old_photograph_is_left_out(caption: str, place: str | None, when: date | None) -> None:
    found = facts().read(entry("India and Japan hold talks", caption), Status.HELD)
    assert (found.parties, found.place, found.when) == (("IND", "JPN"), place, when)


def test_a_person_has_the_country_before_the_office() -> None:
    found = facts().read(entry("Kenya's Trade Minister Ivo Quill and Rice Envoy Ana Witt meet"), None)
    assert [(p.name, p.country) for p in found.people] == [("Ivo Quill", "KEN"), ("Ana Witt", None)]


def test_a_name_cut_short_is_no_second_person() -> None:
    found = facts().read(entry("Sign, says Rice Envoy Ivo Quillon", "Sign, says Rice Envoy Ivo Quill"), None)
    assert [p.name for p in found.people] == ["Ivo Quillon"]


WEDNESDAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("text", "status", "day"),
    [
        ("Ministers meet on Monday", Status.PLANNED, date(2026, 3, 9)),
        ("Ministers met on Monday", Status.HELD, date(2026, 3, 2)),
        ("Ministers met on Wednesday", Status.HELD, WEDNESDAY),
        ("Ministers meet on Wednesday", Status.PLANNED, WEDNESDAY),
        ("Ministers meet next Wednesday", Status.PLANNED, date(2026, 3, 11)),
        ("Ministers cancelled the talks of next Friday", Status.CANCELLED, date(2026, 3, 6)),
        ("Ministers met last Friday", Status.HELD, date(2026, 2, 27)),
        ("Ministers will recall last Friday", Status.PLANNED, date(2026, 2, 27)),
        ("Ministers meet today", Status.HELD, WEDNESDAY),
        ("Ministers meet tomorrow", Status.PLANNED, date(2026, 3, 5)),
        ("Ministers met yesterday", Status.HELD, date(2026, 3, 3)),
        ("Ministers meet on 12 March", Status.PLANNED, date(2026, 3, 12)),
        ("Ministers meet on the 1st of April", Status.PLANNED, date(2026, 4, 1)),
        ("Ministers meet on March 12th", Status.PLANNED, date(2026, 3, 12)),
        ("Ministers met on Dec. 30", Status.HELD, date(2025, 12, 30)),
        ("Ministers meet on 12 March 2026", Status.PLANNED, date(2026, 3, 12)),
        ("Ministers meet on March 12, 2026", Status.PLANNED, date(2026, 3, 12)),
        ("Ministers renewed a pact of 12 May 2019", Status.HELD, None),
        ("Ministers renewed a pact of May 12, 2019, on Monday", Status.HELD, date(2026, 3, 2)),
        ("Ministers meet on 31 February, they joked", Status.PLANNED, None),
        ("Ministers meet on 12-14 March", Status.PLANNED, date(2026, 3, 12)),
        ("Ministers meet from March 12–14", Status.PLANNED, date(2026, 3, 12)),
        ("Ministers visit India on Friday", Status.PLANNED, date(2026, 3, 6)),
        ("Ministers visit India from today", Status.PLANNED, WEDNESDAY),
        ("News Today: ministers met", Status.HELD, None),
        ("Ministers meet this evening", Status.PLANNED, WEDNESDAY),
        ("Ministers will meet, an aide said on Tuesday", Status.PLANNED, None),
        ("Ministers will meet, an aide told reporters late on Tuesday", Status.PLANNED, None),
        ("Tea minister on Tuesday said ministers would meet on Friday", Status.PLANNED, date(2026, 3, 6)),
        ("Japan welcomed Monday's summit", Status.HELD, date(2026, 3, 2)),
        ("Ministers stay until Friday", Status.HELD, None),
        ("Wednesday Briefing: ministers met", Status.HELD, None),
        ("Ministers eye today's session", Status.PLANNED, None),
        ("Ministers plan to renew a pact of 2 March", Status.PLANNED, None),
        ("Ministers met ahead of a vote on 12 March", Status.HELD, None),
        ("Ministers met", Status.HELD, None),
        ("Ministers met on Monday", None, None),
    ],
)
def test_when(text: str, status: Status | None, day: date | None) -> None:
    assert facts().read(entry(text), status).when == day


def test_a_leap_day_is_the_nearest_one() -> None:
    in_winter = entry("Ministers meet on 29 February", published=datetime(2025, 3, 1, tzinfo=UTC))
    assert facts().read(in_winter, Status.HELD).when == date(2024, 2, 29)


def test_people_are_few_and_stand_once() -> None:
    found = facts().read(entry("Modi calls Putin", "Modi, Xi Jinping, Macron, Rubio and Lavrov spoke; Putin and Modi too."), None)
    assert [p.name for p in found.people][:3] == ["Narendra Modi", "Vladimir Putin", "Xi Jinping"]
    assert len(found.people) == len(set(found.people)) == 4


def test_an_empty_entry_has_no_facts() -> None:
    found = facts().read(entry("?"), None)
    assert (found.parties, found.people, found.place, found.when) == ((), (), None, None)
