from __future__ import annotations

import pytest

from mynah_http.attempts import Attempts, network


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def attempts(clock):
    return Attempts(limit=3, window_s=60, maxsize=4, clock=clock)


def fail(attempts, address, times):
    for _ in range(times):
        attempts.failed(address)


def test_an_address_may_be_wrong_a_few_times(attempts):
    fail(attempts, "192.0.2.1", 2)
    assert attempts.wait_s("192.0.2.1") == 0


def test_after_the_limit_an_address_waits_until_the_window_is_over(attempts, clock):
    fail(attempts, "192.0.2.1", 3)
    assert attempts.wait_s("192.0.2.1") == 60
    clock.now += 60
    assert attempts.wait_s("192.0.2.1") == 0


def test_old_failures_do_not_add_up(attempts, clock):
    fail(attempts, "192.0.2.1", 2)
    clock.now += 61
    fail(attempts, "192.0.2.1", 1)
    assert attempts.wait_s("192.0.2.1") == 0


def test_addresses_do_not_wait_for_each_other(attempts):
    fail(attempts, "192.0.2.1", 3)
    assert attempts.wait_s("192.0.2.2") == 0


def test_the_table_is_bounded(attempts):
    for last in range(100):
        attempts.failed(f"192.0.2.{last}")
    assert len(attempts) == 4


def test_one_ipv6_network_is_one_address(attempts):
    for last in range(3):
        attempts.failed(f"2001:db8::{last}")
    assert attempts.wait_s("2001:db8::ffff") > 0
    assert attempts.wait_s("2001:db8:0:1::1") == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::/64"), (None, "unknown"), ("x", "unknown")],
)
def test_odd_addresses_have_a_place(address, expected):
    assert network(address) == expected
