"""QR codes that are made: of the record's address, or of what a formula gives."""

import pytest

from schemas.errors import DefinitionError
from schemas.fields.qr import QrCode
from schemas.options import load

EXAMPLES = [
    {},
    {"content": "formula", "formula": "1 + 1"},
    {"content": "formula", "formula": '"MT-1"', "code": "code128"},
]


def test_a_code_holds_the_records_address_unless_told_otherwise():
    assert load(QrCode, {"id": "code"}).content == "record"


@pytest.mark.parametrize("options", [{"content": "formula"}, {"content": "record", "code": "code128"}])
def test_what_makes_no_code_is_refused(options):
    with pytest.raises(DefinitionError):
        load(QrCode, {"id": "code", **options})
