"""Signed values: the formats of Tornado in both directions, and everything that must not be believed."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from typing import Any

import pytest
import tornado.web as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.web import signing
from gustnado.web.signing import create_signed_value, decode_signed_value, get_signature_key_version

SECRET = "It's a secret to everybody"
SECRETS: Any = {0: "ajklasdf0ojaisdf", 1: b"aslkjasaolwkjsdf", 7: "x\xe9"}
NOW = 1300000000
DAY = 86400

quick = settings(deadline=None, max_examples=150)
values = st.binary(max_size=100) | st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
names = st.text(st.characters(max_codepoint=127, exclude_characters="\n"), max_size=20)
secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20) | st.binary(max_size=200)
times = st.floats(1e9, 3e9)


def at(seconds):
    return lambda: seconds


def present():
    return NOW


def raw(value):
    return value.encode() if isinstance(value, str) else value


def sign_v2(*fields, secret=SECRET, head=b"2|"):
    """A valid signature under whatever fields."""
    signed = head + b"".join(fields)
    return signed + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()


def sign_v1(encoded, timestamp, name=b"key", secret=SECRET):
    digest = hmac.new(secret.encode(), name + encoded + timestamp, hashlib.sha1).hexdigest().encode()
    return b"|".join((encoded, timestamp, digest))


class TestFormats:
    def test_version_1(self):
        signed = create_signed_value(SECRET, "key", "value", version=1, clock=present)
        assert signed == b"dmFsdWU=|1300000000|31c934969f53e48164c50768b40cbd7e2daaaa4f"

    def test_version_2(self):
        signed = create_signed_value(SECRET, "key", "value", version=2, clock=present)
        assert signed == (
            b"2|1:0|10:1300000000|3:key|8:dmFsdWU=|"
            b"3d4e60b996ff9c5d5788e333a0cba6f238a22c6c0f94788870e1a9ecd482e152"
        )
        assert create_signed_value(SECRET, "key", "value", clock=present) == signed

    def test_constants_are_tornados(self):
        for name in signing.__all__:
            if name.isupper():
                assert getattr(signing, name) == getattr(oracle, name)

    @quick
    @given(secrets, names, values, times, st.sampled_from([1, 2, None]))
    def test_written_as_tornado_does_and_read_by_both(self, secret, name, value, time, version):
        signed = create_signed_value(secret, name, value, version, at(time))
        assert signed == oracle.create_signed_value(secret, name, value, version, at(time))
        assert decode_signed_value(secret, name, signed, clock=at(time)) == raw(value)
        assert oracle.decode_signed_value(secret, name, signed, clock=at(time)) == raw(value)
        assert decode_signed_value(secret, name, signed.decode(), clock=at(time)) == raw(value)

    @quick
    @given(values, st.sampled_from(sorted(SECRETS)))
    def test_the_same_with_key_versions(self, value, key_version):
        signed = create_signed_value(SECRETS, "n", value, clock=present, key_version=key_version)
        assert signed == oracle.create_signed_value(
            SECRETS, "n", value, clock=present, key_version=key_version
        )
        assert decode_signed_value(SECRETS, "n", signed, clock=present) == raw(value)
        assert oracle.decode_signed_value(SECRETS, "n", signed, clock=present) == raw(value)
        assert get_signature_key_version(signed) == oracle.get_signature_key_version(signed) == key_version

    def test_100_kilobytes(self):
        value = bytes(range(256)) * 400
        for version in (1, 2):
            signed = create_signed_value(SECRET, "key", value, version, present)
            assert signed == oracle.create_signed_value(SECRET, "key", value, version, present)
            assert decode_signed_value(SECRET, "key", signed, clock=present) == value

    def test_the_clock_is_that_of_the_machine_by_default(self):
        signed = create_signed_value(SECRET, "key", "value")
        assert decode_signed_value(SECRET, "key", signed) == b"value"
        assert decode_signed_value(SECRET, "key", signed, max_age_days=-1) is None

    def test_times_before_1970(self):
        signed = create_signed_value(SECRET, "key", "value", clock=at(-5))
        assert signed == oracle.create_signed_value(SECRET, "key", "value", clock=at(-5))
        assert decode_signed_value(SECRET, "key", signed, clock=at(0)) == b"value"


class TestKeyVersions:
    def test_a_new_secret_beside_the_old(self):
        signed = create_signed_value(SECRETS, "key", "value", clock=present, key_version=0)
        assert decode_signed_value({1: SECRETS[1]}, "key", signed, clock=present) is None
        assert decode_signed_value({0: SECRETS[1]}, "key", signed, clock=present) is None
        assert decode_signed_value({0: SECRETS[0]}, "key", signed, clock=present) == b"value"
        assert decode_signed_value("ajklasdf0ojaisdf", "key", signed, clock=present) == b"value"

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [({}, ValueError), ({"version": 1, "key_version": 0}, ValueError), ({"key_version": 99}, KeyError)],
    )
    def test_several_secrets_need_a_key_version(self, arguments, error):
        with pytest.raises(error):
            create_signed_value(SECRETS, "key", "value", clock=present, **arguments)

    def test_a_stranger_cannot_make_version_1_an_error(self):
        for value in ("garbage", "a|b|c", sign_v1(b"dmFsdWU=", b"1300000000")):
            assert decode_signed_value(SECRETS, "key", value, clock=present) is None

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "garbage",
            "a|b|c",
            "2|",
            "2|1:x|",
            "2|1:0|10:1300000000|3:key|8:dmFsdWU=",
            "1|1:0|",
            "3|x",
            "1234|x|y",
        ],
    )
    def test_a_value_without_one(self, value):
        assert get_signature_key_version(value) is None
        assert get_signature_key_version(value.encode()) is None

    def test_it_is_read_before_the_signature_is_checked(self):
        assert get_signature_key_version(b"2|1:5|1:t|1:n|1:v|nonsense") == 5


class TestVersions:
    @pytest.mark.parametrize("version", [0, 3, -1])
    def test_unknown_formats_cannot_be_written(self, version):
        with pytest.raises(ValueError, match="unsupported version"):
            create_signed_value(SECRET, "key", "value", version)

    def test_unknown_formats_are_not_read(self):
        for head in (b"3|", b"999|", b"1|"):
            value = sign_v2(b"1:0|", b"10:1300000000|", b"3:key|", b"8:dmFsdWU=|", head=head)
            assert decode_signed_value(SECRET, "key", value, clock=present) is None

    def test_old_formats_can_be_refused(self):
        v1 = create_signed_value(SECRET, "key", "value", 1, present)
        v2 = create_signed_value(SECRET, "key", "value", 2, present)
        for minimum, expected in ((None, b"value"), (1, b"value"), (2, None)):
            assert decode_signed_value(SECRET, "key", v1, clock=present, min_version=minimum) == expected
            assert decode_signed_value(SECRET, "key", v2, clock=present, min_version=minimum) == b"value"
        with pytest.raises(ValueError, match="min_version"):
            decode_signed_value(SECRET, "key", v2, clock=present, min_version=3)

    def test_a_value_of_version_1_that_begins_like_a_number(self):
        """Base64 of ``d76df8e7aefc`` (hex) is "12345678": no version."""
        value = binascii.a2b_hex("d76df8e7aefc")
        signed = create_signed_value(SECRET, "key", value, 1, present)
        assert signed.startswith(b"12345678|")
        assert decode_signed_value(SECRET, "key", signed, clock=present) == value


class TestNames:
    def test_a_value_is_for_its_name_only(self):
        signed = create_signed_value(SECRET, "key1", "value", clock=present)
        assert decode_signed_value(SECRET, "key2", signed, clock=present) is None
        assert decode_signed_value(SECRET, "key", signed, clock=present) is None

    @pytest.mark.parametrize("name", ["", "a|b", "4:user|", "n\xe9", "a\nb"])
    @pytest.mark.parametrize("version", [1, 2])
    def test_any_name_will_do(self, name, version):
        signed = create_signed_value(SECRET, name, "value", version, present)
        assert decode_signed_value(SECRET, name, signed, clock=present) == b"value"
        if name.isascii() or version == 1:
            assert signed == oracle.create_signed_value(SECRET, name, "value", version, present)
        else:  # Tornado writes its length in characters, and then cannot read it
            theirs = oracle.create_signed_value(SECRET, name, "value", version, present)
            assert oracle.decode_signed_value(SECRET, name, theirs, clock=present) is None
            assert oracle.decode_signed_value(SECRET, name, signed, clock=present) == b"value"

    @pytest.mark.parametrize("nothing", [None, "", b""])
    def test_nothing_is_nothing(self, nothing):
        assert decode_signed_value(SECRET, "key", nothing) is None


class TestAge:
    @pytest.mark.parametrize("version", [1, 2])
    @pytest.mark.parametrize(
        ("signed_at", "max_age", "accepted"),
        [
            (NOW - 31 * DAY, 31, True),
            (NOW - 31 * DAY - 1, 31, False),
            (NOW - DAY // 2, 0.5, True),
            (NOW - DAY, 0.5, False),
            (NOW, 0, True),
            (NOW + 31 * DAY, 31, True),
            (NOW + 31 * DAY + 1, 31, False),
            (NOW + 400 * DAY, 1000, False),
        ],
    )
    def test_neither_too_old_nor_of_the_future(self, version, signed_at, max_age, accepted, caplog):
        signed = create_signed_value(SECRET, "key", "value", version, at(signed_at))
        decoded = decode_signed_value(SECRET, "key", signed, max_age, present)
        assert decoded == (b"value" if accepted else None)
        assert bool(caplog.records) is (version == 1 and not accepted)

    def test_digits_moved_from_the_value_to_the_time(self, expect_log):
        """Version 1 signs the two without anything between them."""
        _, timestamp, signature = sign_v1(b"12345678", b"1300000000").split(b"|")
        forged = b"1234|5678" + timestamp + b"|" + signature
        with expect_log("gustnado.general", "Cookie timestamp in future"):
            assert decode_signed_value(SECRET, "key", forged, clock=present) is None
        _, timestamp, signature = sign_v1(b"abc0", b"1300000000").split(b"|")
        with expect_log("gustnado.general", "Tampered cookie"):
            forged = b"abc|0" + timestamp + b"|" + signature
            assert decode_signed_value(SECRET, "key", forged, clock=present) is None


class TestTampering:
    @pytest.mark.parametrize("version", [1, 2])
    def test_every_bit_counts(self, version, caplog):
        signed = create_signed_value(SECRET, "key", "\xff\xe0", version, present)
        assert decode_signed_value(SECRET, "key", signed, clock=present) is not None
        for position in range(len(signed)):
            for bit in range(8):
                forged = bytearray(signed)
                forged[position] ^= 1 << bit
                assert decode_signed_value(SECRET, "key", bytes(forged), clock=present) is None

    @pytest.mark.parametrize("version", [1, 2])
    def test_every_byte_counts(self, version, caplog):
        signed = create_signed_value(SECRET, "key", "value", version, present)
        for position in range(len(signed)):
            rest = signed[position + 1 :]
            for forged in (signed[:position], signed[:position] + rest, signed[: position + 1] + b"0" + rest):
                assert decode_signed_value(SECRET, "key", forged, clock=present) is None
        assert decode_signed_value(SECRET, "key", signed + b"\n", clock=present) is None

    @settings(deadline=None, max_examples=300)
    @given(
        st.binary(max_size=60)
        | st.text(alphabet="012|:-+ _=a\xe9", max_size=40).map(str.encode)
        | st.text(alphabet="012|:-+ _", max_size=40).map(lambda text: b"2|" + text.encode())
    )
    def test_anything_else_is_none(self, value):
        assert decode_signed_value(SECRETS, "key", value, clock=present) is None
        assert decode_signed_value(SECRET, "key", value, clock=present, min_version=2) is None
        assert get_signature_key_version(value) in (oracle.get_signature_key_version(value), None)

    @pytest.mark.parametrize(
        "fields",
        [
            (b"1:x|", b"10:1300000000|", b"3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10:130000000x|", b"3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10: 300000000|", b"3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"0:|", b"3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"5000:" + b"1" * 5000 + b"|", b"3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10:1300000000|", b"3:key|", b"9:dmFsdWU=|"),
            (b"1:0|", b"10:1300000000|", b"3:key|", b"-1:dmFsdWU=|"),
            (b"2:0|", b"10:1300000000|", b"3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"9:1300000000|", b"3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10:1300000000|", b"4:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10:1300000000|", b"2:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10:1300000000|", b"+3:key|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10:1300000000|", b":|", b"8:dmFsdWU=|"),
            (b"1:0|", b"10:1300000000|", b"3:key|", b"5:dmFsd|"),
            (b"1:0|", b"10:1300000000|", b"3:key|"),
            (b"1:0|", b"10:1300000000|", b"3:key|", b"99999999999999999999999:x|"),
        ],
    )
    def test_malformed_fields_with_a_valid_signature(self, fields):
        assert decode_signed_value(SECRET, "key", sign_v2(*fields), clock=present) is None

    @pytest.mark.parametrize(
        ("encoded", "timestamp"),
        [(b"dmFsdWU=", b""), (b"dmFsdWU=", b"x"), (b"dmFsdWU=", b"1" * 5000), (b"dmFsd", b"1300000000")],
    )
    def test_malformed_fields_with_a_valid_signature_of_version_1(self, encoded, timestamp):
        assert decode_signed_value(SECRET, "key", sign_v1(encoded, timestamp), clock=present) is None

    def test_values_that_only_look_like_version_1(self, expect_log):
        assert decode_signed_value(SECRET, "key", "a|b", clock=present) is None
        assert decode_signed_value(SECRET, "key", "a|b|c|d", clock=present) is None
        with expect_log("gustnado.general", "^Invalid cookie signature: b'\\|{0,2}") as seen:
            assert decode_signed_value(SECRET, "key", "x" * 100_000 + "||", clock=present) is None
        assert len(seen.records[0].getMessage()) < 200

    def test_another_secret(self):
        signed = create_signed_value(SECRET, "key", "value", clock=present)
        assert decode_signed_value(SECRET + "!", "key", signed, clock=present) is None

    def test_signatures_are_compared_in_constant_time(self, monkeypatch):
        compared: list[tuple[bytes, bytes]] = []

        def compare(a, b):
            compared.append((a, b))
            return True

        monkeypatch.setattr(hmac, "compare_digest", compare)
        for version in (1, 2):
            signed = create_signed_value(SECRET, "key", "value", version, present)
            assert decode_signed_value(SECRET, "key", signed[:-1] + b"!", clock=present) == b"value"
        assert len(compared) == 2
