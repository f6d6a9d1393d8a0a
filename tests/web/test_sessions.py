"""Tokens are valid once and briefly; sessions end when they are idle and after twelve hours."""

from __future__ import annotations

import pytest

from catalog.web.sessions import IDLE_SECONDS, LONGEST_SECONDS, MAX_WRONG_TOKENS, TOKEN_SECONDS, Sessions, is_page_key


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return Sessions(clock=clock)


def test_a_token_is_exchanged_once(sessions):
    """A second exchange of the same token is refused."""
    token = sessions.new_token()
    assert sessions.find(sessions.exchange(token)) is not None
    assert sessions.exchange(token) is None


def test_a_token_expires(sessions, clock):
    """After 60 seconds."""
    token = sessions.new_token()
    clock.now = TOKEN_SECONDS + 0.1
    assert sessions.exchange(token) is None


def test_guessing_ends_the_exchange(sessions):
    """After 20 wrong tokens the right one is refused too."""
    token = sessions.new_token()
    assert {sessions.exchange(f"wrong {number}") for number in range(MAX_WRONG_TOKENS)} == {None}
    assert sessions.exchange(token) is None


def test_an_idle_session_ends(sessions, clock):
    """Each use starts the 30 minutes again."""
    cookie = sessions.exchange(sessions.new_token())
    for _ in range(3):
        clock.now += IDLE_SECONDS - 1
        assert sessions.find(cookie) is not None
    clock.now += IDLE_SECONDS + 1
    assert sessions.find(cookie) is None


def test_a_session_ends_after_twelve_hours(sessions, clock):
    """Although it is used all the time."""
    cookie = sessions.exchange(sessions.new_token())
    while clock.now <= LONGEST_SECONDS:
        assert sessions.find(cookie) is not None
        clock.now += 600
    assert sessions.find(cookie) is None


def test_unknown_cookies_have_no_session(sessions):
    """Also those with characters that no cookie has."""
    for cookie in ("", "x", "\ud800", "é"):
        assert sessions.find(cookie) is None


def test_pages_of_two_sessions_have_different_keys(sessions):
    """The key of one session is not valid for the other."""
    first, second = (sessions.find(sessions.exchange(sessions.new_token())) for _ in range(2))
    assert is_page_key(first, first.page_key)
    assert not is_page_key(first, second.page_key)
    assert not is_page_key(first, "")
