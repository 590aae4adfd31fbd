import pytest
from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured

from users.encryption import decrypt, digest, encrypt

OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture(autouse=True)
def keys(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    return settings


def test_what_is_encrypted_comes_back_and_looks_different_each_time():
    first, second = encrypt("0123456789 ü"), encrypt("0123456789 ü")
    assert decrypt(first) == decrypt(memoryview(second)) == "0123456789 ü"
    assert first != second


def test_keys_are_exchanged_by_adding_the_new_one_in_front(keys):
    before, known_as = encrypt("secret"), digest("secret")
    keys.ENCRYPTION_KEYS = [NEW, OLD]
    assert (decrypt(before), digest("secret")) == ("secret", known_as)
    after = encrypt("secret")
    keys.ENCRYPTION_KEYS = [NEW]
    assert decrypt(after) == "secret"
    with pytest.raises(InvalidToken):
        decrypt(before)


def test_a_changed_byte_is_noticed():
    data = bytearray(encrypt("secret"))
    data[40] ^= 1
    with pytest.raises(InvalidToken):
        decrypt(bytes(data))


def test_a_digest_depends_on_text_and_key(keys):
    before = digest("a")
    assert (len(before), digest("a") == before, digest("b") == before) == (32, True, False)
    keys.ENCRYPTION_KEYS = [NEW]
    assert digest("a") != before


def test_a_short_key_is_refused(keys):
    keys.ENCRYPTION_KEYS = ["short"]
    with pytest.raises(ImproperlyConfigured):
        encrypt("x")
