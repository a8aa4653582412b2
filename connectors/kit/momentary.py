"""Refusals that pass by themselves but come in another guise than 429: Google's 403 with a reason, Slack's 200."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from connectors.kit.answers import Answer
from connectors.kit.patience import Deadline
from governance.errors import RateLimited, Unavailable

TRIES: Final = 5
FIRST_WAIT_S: Final = 0.5
MOST_WAIT_S: Final = 30.0


def asked_again(
    ask: Callable[[], Answer],
    passes: Callable[[Answer], float | None],
    deadline: Deadline,
    place: str,
    *,
    limited: bool = True,
) -> Answer:
    """The first answer that is no momentary refusal.

    `passes` tells how many seconds a refusal asks to wait, 0 when it does not say, and None for every other answer.
    RateLimited (Unavailable where it is not about a `limited` rate) when it stays, or when the wait is too long.
    """
    wait = FIRST_WAIT_S
    for tries_left in reversed(range(TRIES)):
        answer = ask()
        told = passes(answer)
        if told is None:
            return answer
        seconds = told or wait * random.uniform(1, 1.5)  # noqa: S311 - spreads load, guards nothing
        if not tries_left or seconds >= deadline.left:
            break
        time.sleep(seconds)
        wait = min(wait * 2, MOST_WAIT_S)
    if limited:
        raise RateLimited(f"{place}: too many requests", deadline.now + timedelta(seconds=seconds))
    raise Unavailable(f"{place}: could not answer just now, also when asked again")
