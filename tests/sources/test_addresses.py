"""Which addresses are fetched, and which never."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.addresses import Policy, check_url, shown
from bot.sources.wire import Door
from tests.sources.kit import Names, some

STRICT, OWN = Policy(), Policy(allow_private=True)
SPELLINGS = [  # of 127.0.0.1 and its kin, as one system or another reads them
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://127.0.0.1./",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[fe80::1%25eth0]/",
]
NO_ADDRESSES = [
    "file:///etc/passwd",
    "ftp://paper.example/",
    "gopher://paper.example/",
    "data:text/xml,<rss/>",
    "javascript:alert(1)",
    "//paper.example/",
    "paper.example/feed",
    "",
    "http://",
    "http:///feed",
    "http://user:secret@paper.example/",
    "http://user@paper.example/",
    "http://:secret@paper.example/",
    "http://paper.example\\@127.0.0.1/",
    "http://paper.example:0/",
    "http://paper.example:99999/",
    "http://paper.example:x/",
    " http://paper.example/",
    "http://paper.example/\n",
    "http://paper.example/\x00",
    "http://pap er.example/",
    "http://[::1",
    "http://[not-an-address]/",
    "http://%31%32%37.0.0.1/",
    "http://paper.example/" + "a" * 3_000,
]
FURTHER = [  # more spellings of metadata and of loopback, mapped, embedded and scoped; and more that is no address
    "http://0xA9FEA9FE/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://169.254.43518/",
    "http://127.000.000.001/",
    "http://1.0x7f/",
    "http://4294967296/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://x.0x7f000001/",
    "http://0x/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::5efe:7f00:1]/",
    "http://[fec0::1]/",
    "http://[v1.x]/",
    "http://１２７.０.０.１/",
    "http://127．0．0．1/",
    "http://127｡0｡0｡1/",
    "http:\\\\127.0.0.1/",
    "http:/\\127.0.0.1/",
    "http://127.0.0.1%23@paper.example/",
    "http://127.0.0.1%00.paper.example/",
    "http://paper.example%40127.0.0.1/",
    "http://127.0.0.1:80:80/",
    "HTTP://127.0.0.1/",
    "FILE:///etc/passwd",
    "jar:http://paper.example!/",
    "dict://127.0.0.1:11211/",
    "unix:///run/docker.sock",
    "view-source:http://paper.example/",
    "http://./",
]


@pytest.mark.parametrize(
    "url", [*SPELLINGS, *NO_ADDRESSES, *FURTHER, "http://127.0.0.1/", "http://[::1]/", "http://10.1.2.3/", "http://100.64.0.1/"]
)
def test_hostile_addresses_are_refused(url: str) -> None:
    with pytest.raises(SourceError, match=r"^address: ") as caught:
        check_url(url, STRICT)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused_at_home_too(url: str) -> None:
    with pytest.raises(SourceError, match=r"^address: "):
        check_url(url, OWN)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "[ff02::1]",
    ],
)
def test_metadata_link_local_and_multicast_are_refused_whatever_is_allowed(host: str) -> None:
    with pytest.raises(SourceError, match="reserved"):
        check_url(f"http://{host}/latest/meta-data/", OWN)


@pytest.mark.parametrize(
    "url",
    [
        "https://paper.example/feed?x=1",
        "http://paper.example:8080/",
        "https://паспорт.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1]/",
    ],
)
def test_public_addresses_are_let_through(url: str) -> None:
    assert check_url(url, STRICT).scheme in ("http", "https")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "192.168.1.1", "172.16.0.1", "::1", "fd12::1", "::ffff:192.168.1.1"])
def test_private_addresses_are_a_matter_of_policy(address: str) -> None:
    assert STRICT.refusal(address) == "is private"
    assert OWN.refusal(address) is None


@some
@given(st.ip_addresses())
def test_what_the_policy_lets_through_is_of_the_public_internet(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if STRICT.refusal(str(address)) is None:
        assert address.is_global
        assert not address.is_multicast


@some
@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_ipv6_dress(address: ipaddress.IPv4Address) -> None:
    assert STRICT.refusal(f"::ffff:{address}") == STRICT.refusal(str(address))
    assert STRICT.refusal(f"64:ff9b::{address}") == STRICT.refusal(str(address))


@some
@given(st.text(max_size=60))
def test_no_text_raises_anything_but_a_source_error(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://paper.example/{text}"):
        try:
            check_url(url, STRICT)
        except SourceError:
            continue


def test_an_address_is_shown_without_its_query() -> None:
    assert shown(check_url("https://paper.example:8443/feed?key=secret", STRICT)) == "https://paper.example:8443/feed"


async def test_a_name_that_means_a_private_address_is_refused_at_the_door() -> None:
    door = Door(STRICT, Names(evil_example=["10.0.0.1"], mixed_example=["93.184.215.14", "127.0.0.1"]))
    for host in ("evil.example", "mixed.example", "127.0.0.1"):
        with pytest.raises(SourceError, match=r"^address: "):
            await door.connect_tcp(host, 80)


async def test_an_unknown_name_is_said_to_be_unknown() -> None:
    door = Door(STRICT, Names(empty_example=[]))
    for host in ("nowhere.example", "empty.example"):
        with pytest.raises(SourceError, match=r"^no-host: "):
            await door.connect_tcp(host, 80)
