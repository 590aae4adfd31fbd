"""How long things may take with a provider: when it is asked again, how long it has, and when its silence is enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Seconds from one question to the next, for a provider whose "not found" may be believed after ten minutes or more;
# a quicker one is asked in proportion.
PAUSES = (15.0, 60.0, 300.0, 900.0, 3600.0)
USUAL_GRACE = 600.0
# So often, and spaced, must the bank not know an order before it is taken as never having arrived.
MISSES = 3
# Whoever calls a provider has an answer, or has given up, within so many seconds: a recipient 20, the order 65 and the
# question after a refusal 20, at most.
LONGEST_CALL = 120.0
# Without a word that we understand for so long, a person must look; for slower providers it is longer.
PATIENCE = timedelta(hours=1)
# What is known not to have been sent is safe to try again, for a day.
SENDING_PATIENCE = timedelta(hours=24)
LONGEST_SENDING_PAUSE = 300.0
# A bank that waits for somebody is left to them for so long, or for so many questions.
ACTION_PATIENCE = timedelta(minutes=30)
ACTION_CHECKS = 4
# When a bank that paid is asked whether it still says so: money comes back late.
LOOKS = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(hours=72))
# So often a bank is asked, after a hint or at a look, that doesn't answer.
LATE_CHECKS = 24


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides how patient we are with a provider. `grace` is in seconds, and infinite where none is known."""

    unique: bool
    grace: float

    @property
    def lease(self) -> timedelta:
        """How long a worker has: longer than any call, but no longer than a quick provider makes sensible."""
        return timedelta(seconds=min(LONGEST_CALL, 2 * self.grace))

    @property
    def patience(self) -> timedelta:
        """How long its silence is borne; "not found" must be believed before that, where it may be."""
        return PATIENCE if self.grace == float("inf") else max(PATIENCE, timedelta(seconds=4 * self.grace))

    @property
    def spacing(self) -> timedelta:
        """Two answers of "not found" that are closer than this are one."""
        return timedelta(seconds=min(self.grace, USUAL_GRACE) / 20)

    def pause(self, checks: int) -> float:
        """Seconds until it is asked again, after so many questions: ever longer."""
        return PAUSES[min(checks, len(PAUSES) - 1)] * min(1.0, self.grace / USUAL_GRACE)

    def believes_a_miss(self, waited: timedelta, misses: int) -> bool:
        """Whether an order that the bank doesn't know, so long after it was sent, is taken as never having arrived."""
        return self.unique and waited.total_seconds() >= self.grace and misses >= MISSES


def sending_pause(sends: int) -> float:
    """Seconds until what couldn't be sent is sent again, after so many tries."""
    return min(2.0 ** min(sends, 10), LONGEST_SENDING_PAUSE)


def next_look(completed_at: datetime, now: datetime) -> datetime | None:
    """The next moment at which a bank that paid is asked again, or None after the last."""
    return next((at for at in (completed_at + look for look in LOOKS) if at > now), None)
