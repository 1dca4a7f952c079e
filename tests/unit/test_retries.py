"""The `retry` option as a value, and the budget that requests share."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from requite import InvalidOptionType, OptionsError, UnknownOption, request
from requite.options import compose, normalise
from requite.retries import Budget, Retry, retry


def test_a_number_is_the_limit_and_the_rest_has_its_defaults() -> None:
    made = retry('retry', 3)
    assert made is not None
    assert made._replace(budget=None) == Retry(3)
    assert made.statuses == {429, 502, 503, 504}
    assert made.methods is None
    assert (made.backoff, made.max_backoff, made.max_retry_after, made.jitter) == (0.2, 10, 30, True)
    assert made.budget is not None
    assert made.budget.size == 10


@pytest.mark.parametrize('off', [None, False, 0, {'limit': 0}])
def test_none_false_and_zero_switch_retries_off(off: Any) -> None:
    assert retry('retry', off) is None


def test_every_key_of_the_mapping_counts_in_both_its_spellings() -> None:
    given: dict[str, Any] = {
        'limit': 5,
        'methods': ['get', 'Report'],
        'statuses': (500, 503),
        'backoff': 50,
        'maxBackoff': timedelta(seconds=2),
        'maxRetryAfter': 0,
        'jitter': False,
        'budget': None,
    }
    wanted = Retry(5, frozenset(('GET', 'REPORT')), frozenset((500, 503)), 0.05, 2.0, 0.0, False, None)
    assert retry('retry', given) == wanted
    snake = {'maxBackoff': 'max_backoff', 'maxRetryAfter': 'max_retry_after'}
    assert retry('retry', {snake.get(key, key): value for key, value in given.items()}) == wanted


def test_a_mapping_without_a_limit_means_two_retries() -> None:
    made = retry('retry', {})
    assert made is not None
    assert made.limit == 2


def test_the_budget_is_never_smaller_than_what_one_request_may_need() -> None:
    made = retry('retry', 40)
    assert made is not None
    assert made.budget is not None
    assert made.budget.size == 40


@pytest.mark.parametrize(
    ('value', 'kind', 'text'),
    [
        (True, InvalidOptionType, "option 'retry' must be a number of retries or a mapping, not True"),
        (1.5, InvalidOptionType, "option 'retry' must be a number of retries or a mapping"),
        ('3', InvalidOptionType, "option 'retry' must be a number of retries or a mapping"),
        (-1, OptionsError, "option 'retry' must be 0 or more, not -1"),
        (101, OptionsError, "option 'retry' must be a number of retries from 0 to 100, not 101"),
        (10**400, OptionsError, 'from 0 to 100, not an int of'),
        ({'limits': 1}, UnknownOption, "option 'retry' has no key 'limits'; did you mean 'limit'"),
        ({'max_backoff': 1, 'maxBackoff': 1}, UnknownOption, 'which are one; keep one of them'),
        ({'limit': None}, OptionsError, "'retry.limit' must be a number of retries from 0 to 100, not None"),
        ({'methods': 'GET'}, InvalidOptionType, "'retry.methods' must be a list of methods"),
        ({'methods': [1]}, InvalidOptionType, "'retry.methods' must be a list of methods"),
        ({'statuses': '503'}, InvalidOptionType, "'retry.statuses' must be a list of status codes"),
        ({'statuses': 503}, InvalidOptionType, "'retry.statuses' must be a list of status codes"),
        ({'statuses': {503: 1}}, InvalidOptionType, "'retry.statuses' must be a list of status codes"),
        ({'statuses': [200]}, InvalidOptionType, "'retry.statuses': 200 is no status code from 300 to 599"),
        ({'statuses': [True]}, InvalidOptionType, "'retry.statuses': True is no status code"),
        ({'statuses': ['503']}, InvalidOptionType, "'retry.statuses': '503' is no status code"),
        ({'backoff': 0.5}, InvalidOptionType, "'retry.backoff' counts milliseconds.*write 500"),
        ({'backoff': -1}, OptionsError, "'retry.backoff' must be more than 0 milliseconds"),
        ({'backoff': None}, InvalidOptionType, "'retry.backoff' must be an int of milliseconds or a timedelta"),
        ({'max_backoff': True}, InvalidOptionType, "'retry.max_backoff' must be an int of milliseconds"),
        ({'max_retry_after': 2**31}, OptionsError, "'retry.max_retry_after' must be at most"),
        ({'jitter': 1}, InvalidOptionType, "'retry.jitter' must be True or False"),
        ({'budget': -1}, OptionsError, "'retry.budget' must be 0 or more"),
        ({'budget': 'all'}, InvalidOptionType, "'retry.budget' must be an int"),
    ],
)
def test_what_cannot_be_meant_is_an_error_of_the_call_that_names_the_key(
    value: Any, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text) as caught:
        request('http://h/', retry=value)
    assert type(caught.value) is kind
    with pytest.raises(kind, match=text):
        request.defaults(retry=value)


def test_generators_of_methods_and_statuses_are_read_once_and_kept() -> None:
    made = retry('retry', {'methods': (name for name in ['get']), 'statuses': (code for code in [500])})
    assert made is not None
    assert (made.methods, made.statuses) == ({'GET'}, {500})


# -- the budget


def test_a_budget_is_used_up_and_regained_by_a_tenth_for_each_request_that_needs_none() -> None:
    budget = Budget(2)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    for _ in range(9):
        budget.earn()
    assert not budget.take()
    budget.earn()
    assert budget.take()
    assert not budget.take()


def test_a_budget_never_grows_beyond_its_size() -> None:
    budget = Budget(1)
    for _ in range(100):
        budget.earn()
    assert [budget.take() for _ in range(2)] == [True, False]
    assert repr(budget) == '<Budget 0.0 of 1>'


def test_threads_never_take_more_than_there_is() -> None:
    budget = Budget(50)
    taken: list[bool] = []

    def take() -> None:
        taken.extend(budget.take() for _ in range(50))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 50


def budget_of(api: Any, **given: Any) -> Any:
    made = compose(api._defaults, normalise({'uri': 'http://h/', **given})).retry
    return None if made is None else made.budget


def test_requests_of_one_wrapper_share_a_budget_and_others_do_not() -> None:
    api = request.defaults(retry=1)
    assert budget_of(api) is budget_of(api) is budget_of(api.defaults(timeout=5))
    assert budget_of(api) is not budget_of(request, retry=1)
    assert budget_of(api) is not budget_of(api, retry=1)


@pytest.mark.parametrize('off', [0, None, False])
def test_a_call_switches_the_retries_of_its_defaults_off(off: Any) -> None:
    assert compose(request.defaults(retry=3)._defaults, normalise({'uri': 'http://h/', 'retry': off})).retry is None
