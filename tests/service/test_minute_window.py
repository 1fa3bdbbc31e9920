"""What was taken within a minute, against a plain count of everything that was ever taken."""

from random import Random

import pytest

from claude_openai_proxy.service.minute_window import MinuteWindow, Taken


def test_what_was_taken_counts_for_a_minute_and_not_longer() -> None:
    window = MinuteWindow()
    window.take(3, 0.0)
    window.take(2, 30.0)
    assert [window.used(now) for now in (30.0, 59.9, 60.0, 89.9, 90.0)] == [5, 5, 2, 2, 0]


def test_how_long_to_wait_is_when_enough_of_it_is_over() -> None:
    window = MinuteWindow()
    window.take(3, 0.0)
    window.take(2, 30.0)
    assert window.wait(5, 10, 40.0) == 0.0
    assert window.wait(6, 10, 40.0) == 20.0
    assert window.wait(9, 10, 40.0) == 50.0
    assert window.wait(11, 10, 40.0) is None
    assert (window.reset(40.0), window.reset(90.0)) == (50.0, 0.0)


def test_what_is_corrected_counts_from_when_it_was_taken_or_from_now_where_that_is_over() -> None:
    window = MinuteWindow()
    first, second = window.take(10, 0.0), window.take(10, 50.0)
    window.correct(first, 4, 55.0)
    assert window.used(55.0) == 14
    window.correct(second, 15, 56.0)
    assert (window.used(56.0), window.used(60.0), window.used(110.0)) == (19, 15, 0)
    late = window.take(10, 200.0)
    window.correct(late, 25, 300.0)
    assert (window.used(300.0), window.used(359.0), window.used(360.0)) == (15, 15, 0)
    gone = window.take(10, 400.0)
    window.correct(gone, 3, 500.0)
    assert window.used(500.0) == 0


@pytest.mark.parametrize("seed", range(20))
def test_any_course_of_events_gives_the_same_as_counting_all(seed: int) -> None:
    chance, window, now = Random(seed), MinuteWindow(), 0.0
    open_, all_ = list[tuple[Taken, list[float]]](), list[list[float]]()
    for _ in range(300):
        now += chance.choice([0.0, 0.5, 7.0, 40.0])
        if open_ and chance.random() < 0.5:
            taken, row = open_.pop(chance.randrange(len(open_)))
            amount = chance.randint(0, 12)
            if row[0] > now - 60:
                row[1] = amount
            elif amount > row[1]:
                all_.append([now, amount - row[1]])
            window.correct(taken, amount, now)
        else:
            row = [now, chance.randint(0, 9)]
            all_.append(row)
            open_.append((window.take(int(row[1]), now), row))
        assert window.used(now) == sum(amount for at, amount in all_ if at > now - 60)
        wait = window.wait(10, 20, now)
        assert wait is not None
        left = sum(amount for at, amount in all_ if at > now + wait - 60)
        assert left + 10 <= 20
