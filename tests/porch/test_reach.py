import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.api import Reach, RefusedDeliveryError

INSIDE = (
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # where clouds keep the keys of the machine
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "localhost",
    "",
    "127.1",
    "0x7f000001",
)


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_of_the_open_internet_is_out_of_reach(address):
    assert not Reach().allows(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_is_within_reach(address):
    assert Reach().allows(address)


def test_what_the_operator_listed_is_within_reach_and_its_neighbour_is_not():
    reach = Reach.to("10.1.2.0/24", "192.168.1.7", "fd00:1::/64")
    assert all(reach.allows(one) for one in ("10.1.2.9", "192.168.1.7", "fd00:1::9", "::ffff:10.1.2.9"))
    assert not any(reach.allows(one) for one in ("10.1.3.9", "192.168.1.8", "fd00:2::9", "127.0.0.1"))


def test_of_several_addresses_only_the_allowed_ones_are_left_and_none_is_a_refusal_in_words():
    reach = Reach()
    assert reach.only("mis.example.org", ["10.0.0.1", "8.8.8.8", "8.8.8.8"]) == ["8.8.8.8"]
    assert reach.only("mis.example.org", []) == []
    with pytest.raises(RefusedDeliveryError, match=r"mis\.example\.org is at 10\.0\.0\.1") as caught:
        reach.only("mis.example.org", ["10.0.0.1", "::1"])
    assert "private_networks" in caught.value.what_now


@pytest.mark.parametrize("text", ["", "10.1.2.3/24", "school", "10.0.0.0/33", "mis.example.org"])
def test_what_is_no_network_is_not_listed(text):
    with pytest.raises(ValueError):
        Reach.to(text)


@given(st.ip_addresses())
def test_every_address_gets_an_answer_and_listing_it_lets_it_through(address):
    assert Reach.to(str(address)).allows(str(address)) or Reach().allows(str(address)) in {True, False}
    assert Reach().allows(str(address)) <= address.is_global or str(address).startswith("::ffff:")


@given(st.ip_addresses(v=4))
def test_an_address_in_ipv6_clothes_is_judged_as_itself(address):
    for clothed in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert Reach().allows(clothed) == Reach().allows(str(address))
