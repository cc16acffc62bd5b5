"""JSON whose numbers are exact, and that can always be written again."""

from decimal import Decimal

import pytest

from codat_ar_cli.domain import jsontext

DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NaN", "NaN"),
        ("1e400", "exponent"),
        ("1e-400", "exponent"),
        ("1e99999999999999999999", "exponent"),
        (DIGITS, "4300 digits"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        (r'"\ud800"', "half of a character"),
        (r'{"\uDFFF": 1}', "half of a character"),
        (b'"\xed\xa0\x80"', "decode"),
        (b"\xff\xfe", "Expecting value"),
    ],
)
def test_what_could_not_be_written_again_is_not_read(text, words):
    with pytest.raises(jsontext.JsonTextError, match=words):
        jsontext.loads(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_json_is_read_digit_for_digit(encoding):
    text = '{"name":"Zoë \U0001f600","amount":12.50}'

    assert jsontext.loads(text.encode(encoding)) == {"name": "Zoë \U0001f600", "amount": Decimal("12.50")}


def test_a_character_written_as_two_escapes_is_whole():
    assert jsontext.dumps(jsontext.loads(r'["\ud83d\ude00"]')) == '["\U0001f600"]'
