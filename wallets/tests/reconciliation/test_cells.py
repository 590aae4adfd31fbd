"""A cell at a time: what an amount, a day and a status may look like, and what is refused."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from wallets.reconciliation.formats import cells
from wallets.reconciliation.formats.cells import CellRefused

AMOUNTS = [
    ("1234.50", ".", 123_450), ("1,234.50", ".", 123_450), ("1.234,50", ",", 123_450), ("1234,5", ",", 123_450),
    ("-400.00", ".", -40_000), ("400.00-", ".", -40_000), ("(400.00)", ".", -40_000), ("−400", ".", -40_000),
    ("400 DR", ".", -40_000), ("400 CR", ".", 40_000), ("NGN 1,000.00", ".", 100_000), ("₦1 000.00", ".", 100_000),
    ("+7", ".", 700), ("0.5", ".", 50), (".5", ".", 50), ("5.", ".", 500), ("1.500", ".", 150), ("0", ".", 0),
    ("1'000.00", ".", 100_000), (1234.5, ".", 123_450), (7, ",", 700), (0.07, ".", 7), (0.1 + 0.2, ".", 30),
    ("10000000000000", ".", 10**15),
]  # fmt: skip
NO_AMOUNTS = [
    "", "-", ".", "1,23.00", "1.234,50", "1e3", "0x10", "１０", "12 34x", "=1+1", "=A1", "NaN", "Infinity",
    "1.005", "10000000000000.01", "9" * 400, "1__0", "--5", "1.2.3", True, float("nan"), float("inf"), 1e300,
    0.001, 123456789012345.67, "5 USD",
]  # fmt: skip
DAYS = [
    ("2026-03-05", (), date(2026, 3, 5)), ("2026-03-05T23:30:00+01:00", (), date(2026, 3, 5)),
    ("2026-03-05T00:30:00+01:00", (), date(2026, 3, 4)), ("2026-03-05 10:00:00", (), date(2026, 3, 5)),
    ("2026-03-05T10:00:00.123Z", (), date(2026, 3, 5)), ("05/03/2026", ("%d/%m/%Y",), date(2026, 3, 5)),
    ("5 Mar 2026", ("%d/%m/%Y", "%d %b %Y"), date(2026, 3, 5)), (date(2026, 3, 5), (), date(2026, 3, 5)),
    (datetime(2026, 3, 5, 9), (), date(2026, 3, 5)),  # noqa: DTZ001
    (datetime(2026, 3, 5, 0, 30, tzinfo=timezone(timedelta(hours=1))), (), date(2026, 3, 4)),
    (datetime(2026, 3, 5, tzinfo=UTC), (), date(2026, 3, 5)),
]  # fmt: skip
NO_DAYS = [
    ("", ()), ("yesterday", ()), ("2026-13-01", ()), ("05/03/2026", ()), ("0026-03-05", ()),
    ("31/02/2026", ("%d/%m/%Y",)), ("2026-03-05", ("%d/%m/%Y",)), ("99999-01-01", ()), (46_000, ()),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "decimal", "minor"), AMOUNTS)
def test_an_amount_is_read_exactly(cell, decimal, minor):
    assert cells.amount(cell, decimal, "NGN") == minor


@pytest.mark.parametrize("cell", NO_AMOUNTS, ids=lambda cell: str(cell)[:20])
def test_what_is_no_amount_is_refused_with_what_to_do(cell):
    with pytest.raises(CellRefused, match=r"\w+ .*[.?]"):
        cells.amount(cell, ".", "NGN")


@pytest.mark.parametrize(("currency", "text", "minor"), [("JPY", "150", 150), ("KWD", "1.234", 1_234)])
def test_a_currency_has_its_own_decimals(currency, text, minor):
    assert cells.amount(text, ".", currency) == minor
    with pytest.raises(CellRefused, match="decimals"):
        cells.amount("0.0001", ".", currency)


@pytest.mark.parametrize(("cell", "formats", "day"), DAYS)
def test_a_day_is_a_day_in_utc(cell, formats, day):
    assert cells.day(cell, formats) == day


@pytest.mark.parametrize(("cell", "formats"), NO_DAYS)
def test_what_is_no_day_is_refused(cell, formats):
    with pytest.raises(CellRefused):
        cells.day(cell, formats)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("success", "booked"), ("", "booked"), (" Completed ", "booked"), ("otp", "pending"), ("FAILED", "failed"),
        ("reversed", "reversed"), ("Rückläufer", "reversed"),
    ],
)  # fmt: skip
def test_a_status_is_known_by_the_usual_words_and_by_the_mappings_own(word, status):
    assert cells.status(word, {"rückläufer": "reversed"}) == status


def test_an_unknown_status_is_refused():
    with pytest.raises(CellRefused, match="mapping"):
        cells.status("maybe", {})
