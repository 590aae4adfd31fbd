"""Random books, with dates of the past and days that are closed in between: every report says what the entries say."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import closing, reports
from ledger.accounts import BUSY, NewAccount, find, open_accounts
from ledger.closing import DAY, midnight
from ledger.models import Entry
from ledger.posting import post_one
from ledger.reports import figures, general
from ledger.reports.sheets import total
from ledger.requests import Posting
from ledger.seals.sealing import seal_closed
from ledger.tests.closed import FIRST, SECOND, THIRD
from ledger.tests.conftest import NOW, undone

CHART = [
    NewAccount("assets:clearing:bank:NGN", "asset", "NGN", lanes=BUSY),
    NewAccount("liabilities:wallets:alice", "liability", "NGN"),
    NewAccount("liabilities:wallets:bob", "liability", "NGN"),
    NewAccount("liabilities:suspense:NGN", "liability", "NGN"),
    NewAccount("equity:capital:NGN", "equity", "NGN"),
    NewAccount("income:fees:NGN", "income", "NGN", lanes=2),
    NewAccount("expenses:rent:NGN", "expense", "NGN"),
    NewAccount("assets:clearing:bank:USD", "asset", "USD"),
    NewAccount("liabilities:wallets:dora", "liability", "USD"),
]
CODES = {currency: [account.code for account in CHART if account.currency == currency] for currency in ("NGN", "USD")}


@dataclass
class Moved:
    """The books in plain Python: each entry by its account's code and the day on which it took effect."""

    entries: list[tuple[str, date, int]]

    def balance(self, code, through):
        return sum(amount for of, day, amount in self.entries if of == code and day <= through)

    def turnover(self, code, since, until):
        """Debits and credits."""
        moved = [amount for of, day, amount in self.entries if of == code and since <= day <= until]
        return sum(amount for amount in moved if amount > 0), -sum(amount for amount in moved if amount < 0)


@st.composite
def order(draw):
    """Two or three accounts of a currency and what each moves by, and by how many days it is dated back."""
    codes = draw(st.lists(st.sampled_from(CODES["NGN"]), min_size=2, max_size=3, unique=True))
    codes = draw(st.sampled_from([codes, codes, CODES["USD"]]))
    amounts = draw(st.lists(st.integers(-1_000, -1) | st.integers(1, 1_000), min_size=2, max_size=2))[: len(codes) - 1]
    last = -sum(amounts)
    return dict(zip(codes, [*amounts, last], strict=True)) if last else {}, draw(st.sampled_from([0, 0, 0, 1, 2, 5]))


# A day has some orders; then perhaps days are closed, up to the last or the last but one before it.
BOOKS = st.lists(st.tuples(st.lists(order(), max_size=3), st.sampled_from([None, None, 1, 2])), min_size=1, max_size=6)


def keep(books):
    """Post what each day has, close what it closes, and tell the entries."""
    open_accounts(CHART, now=NOW)
    chart, serial = find(account.code for account in CHART), count()
    for number, (orders, closes) in enumerate(books):
        now = NOW + DAY * number
        for amounts, back in orders:
            legs = tuple(chart[code].debit(amount) for code, amount in amounts.items())
            effective_at = max(now - DAY * back, midnight(closing.first_open_day() or date(2000, 1, 1)))
            if legs:
                post_one(Posting("x", f"x:{next(serial)}", legs, effective_at=effective_at), now=now)
        if closes:
            closing.close(now.date() - DAY * closes, by="test", grace=timedelta(), now=now)
            seal_closed(by="test", clock=lambda now=now: now)
    found = Entry.objects.values_list("account__code", "transaction__effective_at", "amount")
    return Moved([(code, effective_at.date(), amount) for code, effective_at, amount in found])


def check_trial_balance(moved, through):
    told = reports.trial_balance(through=through)
    assert {line.code: line.debit - line.credit for line in told} == {
        account.code: moved.balance(account.code, through or date.max) for account in CHART
    }
    for currency, wallets in (("NGN", 2), ("USD", 1)):
        told = reports.trial_balance(through=through, currency=currency, fold=["liabilities:wallets"])
        assert sum(line.debit for line in told) == sum(line.credit for line in told)
        assert [line.accounts for line in told if line.code == "liabilities:wallets"] == [wallets]


def check_balance_sheet(moved, through):
    for sheet in reports.balance_sheet(through=through):
        assert total(sheet.assets) == total(sheet.liabilities) + total(sheet.equity) + sheet.result
        assets = [code for code in CODES[sheet.currency] if code.startswith("assets")]
        assert total(sheet.assets) == sum(moved.balance(code, through) for code in assets)


def check_movements(moved, since, until):
    for line in reports.movements(since=since, until=until):
        assert (line.debits, line.credits) == moved.turnover(line.code, since, until)
        assert (line.opening, line.closing) == (moved.balance(line.code, since - DAY), moved.balance(line.code, until))


def check_adjacent_periods(since, until):
    middle = since + (until - since) // 2
    periods = (since, until), (since, middle), (middle + DAY, until)
    for whole, first, second in zip(*(reports.movements(since=s, until=u) for s, u in periods), strict=True):
        assert (whole.opening, first.closing, whole.closing) == (first.opening, second.opening, second.closing)
        assert (whole.debits, whole.credits) == (first.debits + second.debits, first.credits + second.credits)


def check_income_statement(since, until):
    earned = {told.currency: told.result for told in reports.income_statement(since=since, until=until)}
    before, after = reports.balance_sheet(through=since - DAY), reports.balance_sheet(through=until)
    assert earned == {new.currency: new.result - old.result for old, new in zip(before, after, strict=True)}


def check_general_ledger(moved, since, until):
    for ledger in reports.general_ledger("assets", since=since, until=until):
        lines, balance = list(ledger.lines()), ledger.movement.opening
        for line in lines:
            balance += line.amount
            assert line.balance == balance
        assert balance == ledger.movement.closing
        assert [line.effective_at for line in lines] == sorted(line.effective_at for line in lines)
        entries = [(day, amount) for code, day, amount in moved.entries if code == ledger.movement.code]
        said = Counter((line.effective_at.date(), line.amount) for line in lines)
        assert said == Counter(entry for entry in entries if since <= entry[0] <= until)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(books=BOOKS, first=st.integers(-2, 6), length=st.integers(0, 6))
def test_every_report_says_what_the_entries_say(db, monkeypatch, books, first, length):
    since, until = FIRST + DAY * first, FIRST + DAY * (first + length)
    monkeypatch.setattr(general, "CHUNK", 2)
    with undone():
        moved = keep(books)
        for through in (None, *(FIRST + DAY * number for number in range(-1, len(books) + 1))):
            check_trial_balance(moved, through)
        check_balance_sheet(moved, until)
        check_movements(moved, since, until)
        check_adjacent_periods(since, until)
        check_income_statement(since, until)
        check_general_ledger(moved, since, until)


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(books=BOOKS, first=st.integers(-2, 6), length=st.integers(0, 6))
def test_sealed_days_say_what_open_ones_would(db, monkeypatch, books, first, length):
    period = {"since": FIRST + DAY * first, "until": FIRST + DAY * (first + length)}
    with undone(), monkeypatch.context() as patched:
        keep(books)
        from_sealed_days = reports.movements(**period)
        patched.setattr(figures, "head", lambda: None)
        assert reports.movements(**period) == from_sealed_days


@pytest.mark.parametrize(
    ("below", "codes"),
    [
        ("liabilities:wallets", ["liabilities:wallets:alice", "liabilities:wallets:bob", "liabilities:wallets:dora"]),
        ("liabilities:wallets:bob", ["liabilities:wallets:bob"]),
        ("liabilities:wallets:b", []),
        ("liabilities_wallets", []),
        ("%", []),
    ],
)
def test_a_report_may_be_about_what_is_below_a_code(books, below, codes):
    told = reports.movements(since=FIRST, until=FIRST, below=below)
    assert [line.code for line in told] == codes


def test_a_general_ledger_leaves_out_what_never_moved(sealed):
    ledgers = reports.general_ledger("liabilities", since=SECOND, until=THIRD)
    assert [ledger.movement.code for ledger in ledgers] == ["liabilities:wallets:alice", "liabilities:wallets:bob"]
    lines = list(ledgers[0].lines())
    assert [(line.reference, line.amount, line.balance) for line in lines] == [
        ("t:1", 101, -799),
        ("fee", 7, -792),
        ("t:2", 102, -690),
    ]


def test_a_general_ledger_isnt_disturbed_by_what_is_posted_while_it_is_read(sealed):
    (ledger,) = reports.general_ledger("liabilities:wallets:bob", since=SECOND, until=THIRD)
    late = Posting("x", "late", (sealed.cash.debit(5), sealed.bob.credit(5)), effective_at=midnight(THIRD))
    with undone():
        post_one(late, now=NOW + 2 * DAY)
        assert list(ledger.lines())[-1].balance == ledger.movement.closing == -303
