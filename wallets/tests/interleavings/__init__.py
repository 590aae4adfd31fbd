"""Random interleavings of everything that can happen to a payment, against the simulator's books and a plain tally."""

import pytest

# So that a failing assertion of theirs says what it compared.
pytest.register_assert_rewrite(f"{__name__}.judge", f"{__name__}.healing", f"{__name__}.world")
