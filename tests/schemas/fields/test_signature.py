"""Signatures: one picture, drawn here."""

from uuid import UUID

from schemas.fields.signature import Signature

EXAMPLES = [{}, {"typed_name": False}]


def test_there_is_one_signature():
    assert len(list(Signature(id="signed").check([UUID(int=1), UUID(int=2)]))) == 1


def test_only_what_the_pad_draws_is_taken():
    assert Signature(id="signed").refusal("签名.png") is None
    assert Signature(id="signed").refusal("photo.jpg") is not None
