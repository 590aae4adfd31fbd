"""Calendar months in UTC, each named by its first day: usage is rated by them."""

from datetime import UTC, date, datetime, time, timedelta

MINUTE = timedelta(minutes=1)


def month_of(moment: datetime) -> date:
    """The month in which a moment lies."""
    return moment.astimezone(UTC).date().replace(day=1)


def after(month: date) -> date:
    """The next month."""
    return (month + timedelta(days=31)).replace(day=1)


def start(month: date) -> datetime:
    """A month's first instant."""
    return datetime.combine(month, time(), UTC)


def minute_of(moment: datetime) -> datetime:
    """The minute in which a moment lies."""
    return moment.replace(second=0, microsecond=0)
