"""What is asked for, as the person who decides sees it: a table for each kind of deed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import BigIntegerField, Field

from backoffice import cells
from backoffice.tables import Column, Table
from ledger.accounts import Line, find
from wallets.admin import words
from wallets.admin.usage import shown
from wallets.models import Break, MeterPrice, Proposal
from wallets.proposals.breaks import BreakPosting
from wallets.proposals.decide import deed_of
from wallets.proposals.deed import Deed
from wallets.proposals.journals import Journal, JournalLeg
from wallets.proposals.prices import NewPrice
from wallets.proposals.rules import MODELS, RuleChange
from wallets.usage import meters
from wallets.usage.amounts import written
from wallets.usage.pricing import write_tiers

LEGS = (Column("Account"), Column("Debit", number=True), Column("Credit", number=True))
CHANGES = (Column("Field"), Column("As it is"), Column("As it shall be"))
FIELDS = (Column("Field"), Column("Value"))


def contents(proposal: Proposal) -> list[Table]:
    """The tables of a proposal's page."""
    deed = deed_of(proposal)
    tables: list[Table] = SHOWN.get(type(deed), _fields)(deed, proposal)
    return tables


def _journal(journal: Journal, proposal: Proposal) -> list[Table]:
    more = [("Description", journal.description), ("Effective on", journal.effective_on or "the day it is posted")]
    more += [("Document", name) for name in journal.attachments]
    return [legs_table("The journal", journal.legs), Table("With it", FIELDS, more)]


def _posting(posting: BreakPosting, proposal: Proposal) -> list[Table]:
    more = [("Effective on", posting.on), ("The break", Break.Kind(proposal.basis["kind"]).label)]
    return [legs_table("The posting", posting.legs()), Table("With it", FIELDS, more)]


def legs_table(title: str, legs: Sequence[JournalLeg]) -> Table:
    """Debits and credits, as they are to be posted."""
    lines = find({leg.account for leg in legs})
    currency = next(iter(lines.values())).currency
    rows = [_leg(leg, lines.get(leg.account), currency) for leg in legs]
    total = sum(leg.debit for leg in legs)
    return Table(title, LEGS, rows, total=[("Total", cells.money(total, currency), cells.money(total, currency))])


def _leg(leg: JournalLeg, line: Line | None, currency: str) -> tuple[Any, ...]:
    named = cells.link("ledger_account", line.id, cells.abridged(leg.account)) if line else leg.account
    return (named, *(cells.money(amount, currency) if amount else "" for amount in (leg.debit, leg.credit)))


def _rule(change: RuleChange, proposal: Proposal) -> list[Table]:
    model, before = MODELS[change.table], proposal.basis
    after = {} if change.values is None else {**before, **change.values}
    currency = str((after or before)["currency"])
    rows = [
        (str(field.verbose_name).capitalize(), *shown)
        for field in model._meta.concrete_fields
        if field.name != "id"
        and (shown := [_rule_value(field, values.get(field.name), currency) for values in (before, after)])
        and shown[0] != shown[1]
    ]
    return [Table("The change", CHANGES, rows)]


def _rule_value(field: Field, value: Any, currency: str) -> str:
    """A rule's amounts are its big integers."""
    return cells.money(value, currency) if isinstance(field, BigIntegerField) and value is not None else _value(value)


def _price(new: NewPrice, proposal: Proposal) -> list[Table]:
    follows = proposal.basis["follows"]
    before = MeterPrice.objects.select_related("meter").filter(pk=follows).first() if follows else None
    tariff, unit = new.tariff.read(), meters.find(new.meter).unit
    after = shown.tariff(write_tiers(tariff.as_tiers()), tariff.package_size, new.currency, unit)
    rows = [
        ("Price", shown.price(before) if before else cells.NOTHING, after),
        ("Free in a month", written(before.allowance) if before else cells.NOTHING, new.tariff.allowance),
        ("From", cells.moment(before.starts_at if before else None),
         cells.moment(new.starts_at) if new.starts_at else "the soonest that can be"),
    ]  # fmt: skip
    whom = words.wallet_link(new.wallet) if new.wallet else "Everybody"
    return [Table("The price", CHANGES, rows), Table("With it", FIELDS, [("Meter", new.meter), ("For", whom)])]


def _fields(deed: Deed, proposal: Proposal) -> list[Table]:
    return [
        Table("What is asked for", FIELDS, _named(proposal.content)),
        Table("As things stood then", FIELDS, _named(proposal.basis), empty="It rests on nothing else."),
    ]


def _named(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " ").capitalize(), _value(value)) for name, value in values.items()]


def _value(value: Any) -> str:
    if value is None or value == "":
        return cells.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


SHOWN: dict[type[Deed], Callable[[Any, Proposal], list[Table]]] = {
    Journal: _journal, BreakPosting: _posting, RuleChange: _rule, NewPrice: _price,
}  # fmt: skip
