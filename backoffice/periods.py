"""A filter by date that doesn't read a large table from its beginning."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter

SLACK = timedelta(days=1)


class PeriodFilter(RangeDateFilter):
    """Rows of some days in UTC, both included, of a table whose ids are UUIDv7.

    An id is made when its row is, or later where a row is dated back; so ids bound the rows from below, by their index.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        since, until = self._day("from"), self._day("to")
        if since:
            queryset = queryset.filter(**{f"{self.field_path}__gte": since}, pk__gte=first_id(since - SLACK))
        if until:
            queryset = queryset.filter(**{f"{self.field_path}__lt": until + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        """The midnight a day begins with; what is no date filters nothing."""
        try:
            day = date.fromisoformat(self.used_parameters.get(f"{self.field_path}_{end}", ""))
            return datetime.combine(day, time(), UTC) if date(1970, 1, 3) < day < date(9999, 1, 1) else None
        except ValueError:
            return None


def first_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
