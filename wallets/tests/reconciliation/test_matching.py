"""What the rules match, and what they leave."""

from wallets.tests.reconciliation.conftest import Row


def test_a_payment_that_both_know_matches(desk):
    desk.book((1, -400, "ref-0001"), (2, 900, "ref-0002"))
    desk.state([Row(1, -400, "ref-0001"), Row(3, 900, "REF-0002")])
    run = desk.reconcile()
    assert (run.lines, run.items, run.matched_lines, run.matched_items, desk.kinds()) == (2, 2, 2, 2, [])
