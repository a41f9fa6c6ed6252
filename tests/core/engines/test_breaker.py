"""The circuit breaker by itself, in virtual time."""

from __future__ import annotations

import asyncio
import functools

import pytest

from mynah.engines.breaker import LONGEST_REST_S, Breaker
from mynah.testing.virtual_time import run_in_virtual_time


def virtual(test):
    """Run an async test in virtual time."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        run_in_virtual_time(test(*args, **kwargs))

    return run


def call(breaker, end):
    """Make a call that ends like that."""
    return getattr(breaker, end)(breaker.begin())


def opened():
    breaker = Breaker(failures=3, retry_after=10)
    for _ in range(3):
        call(breaker, "failed")
    return breaker


@virtual
async def test_so_many_failures_in_a_row_open_it():
    breaker = Breaker(failures=3, retry_after=10)
    assert [call(breaker, "failed") for _ in range(3)] == [False, False, True]
    assert not breaker.admits
    assert breaker.rests_s == pytest.approx(10)


@virtual
async def test_a_success_in_between_begins_the_count_anew():
    breaker = Breaker(failures=3)
    for end in ["failed", "failed", "succeeded", "failed", "failed"]:
        call(breaker, end)
    assert breaker.admits


@virtual
async def test_a_call_that_was_not_wanted_any_more_is_neither():
    breaker = Breaker(failures=3)
    for end in ["failed", "abandoned", "failed", "abandoned"]:
        call(breaker, end)
    assert breaker.in_a_row == 2
    assert breaker.admits


@virtual
async def test_after_the_rest_one_probe_goes_while_others_do_not():
    breaker = opened()
    await asyncio.sleep(10.1)
    assert breaker.admits
    probe = breaker.begin()
    assert (probe, breaker.admits) == (True, False)
    assert breaker.succeeded(probe)
    assert breaker.admits
    assert breaker.closed


@virtual
async def test_a_probe_that_was_cancelled_lets_the_next_call_be_one():
    breaker = opened()
    await asyncio.sleep(10.1)
    call(breaker, "abandoned")
    assert breaker.admits
    assert not breaker.closed


@virtual
async def test_each_probe_that_fails_doubles_the_rest_up_to_a_bound():
    breaker, rests = opened(), []
    for _ in range(8):
        rests.append(round(breaker.rests_s))
        await asyncio.sleep(breaker.rests_s + 0.1)
        assert call(breaker, "failed")
    assert rests == [10, 20, 40, 80, 160, LONGEST_REST_S, LONGEST_REST_S, LONGEST_REST_S]


@virtual
async def test_calls_that_began_before_it_opened_make_the_rest_no_longer():
    breaker = Breaker(failures=3, retry_after=10)
    early = [breaker.begin() for _ in range(6)]
    assert [breaker.failed(probe) for probe in early] == [False, False, True, False, False, False]
    assert breaker.rests_s == pytest.approx(10)


@virtual
async def test_a_call_before_the_rest_is_over_puts_the_probe_off_but_does_not_double_the_rest():
    breaker = opened()
    await asyncio.sleep(4)
    call(breaker, "failed")
    assert breaker.rests_s == pytest.approx(10)
    assert call(breaker, "succeeded")
    assert breaker.closed


@virtual
async def test_an_engine_that_was_opened_anew_has_no_past_though_calls_are_under_way():
    breaker = opened()
    await asyncio.sleep(10.1)
    probe = breaker.begin()
    breaker.reset()
    assert breaker.admits
    assert not breaker.failed(probe)
    assert breaker.in_a_row == 1
    assert not breaker.probing
