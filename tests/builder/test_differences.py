"""What a publication says that it changes."""

from builder.differences import differences
from schemas.messages import Message

APP = {
    "language": 1, "app": "shop", "tables": [{"id": "thing", "fields": [{"id": "name", "type": "text"}]}],
    "forms": [{"id": "thing", "table": "thing", "layout": [{"row": ["name"]}], "after_submit": {"message": "Kept."}}],
}  # fmt: skip


def told(**options):
    """The English of what is said when the form gets these options."""
    after = {**APP, "forms": [{**APP["forms"][0], **options}]}
    return [text(message) for _, message in differences(APP, after)]


def text(message):
    values = {k: text(v) if isinstance(v, Message) else str(v) for k, v in message.values.items()}
    return message.text.format(**values)


def test_what_changed_is_named_by_the_labels_of_its_options():
    (said,) = told(color="red", submit="Send")
    assert said.endswith("Colour · The button says")


def test_an_option_written_out_as_its_default_is_not_named():
    (said,) = told(color="red", after_submit={"message": "Kept.", "go": "record", "hints": []}, labels="above")
    assert said.endswith(": Colour")
