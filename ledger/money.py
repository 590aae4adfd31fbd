"""How much money the books can carry, in minor units."""

MAX_POSTING = 10**15
MAX_BALANCE = 9 * 10**15
