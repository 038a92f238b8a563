from schemas.fields.rows import Key
from schemas.fields.text import TextField
from schemas.filling import REPEATED
from schemas.options import load
from schemas.text import Text

EXAMPLES = [
    {"fields": [{"id": "what", "type": "text"}, {"id": "count", "type": "number"}]},
    {"fields": [{"id": "what", "type": "text"}, {"id": "count", "type": "number"}], "frozen": 1},
]


def test_a_repetition_names_its_fields_in_the_reader_s_language_unless_it_has_words_of_its_own():
    fields = [
        load(TextField, {"id": "room", "label": {"zh": "房间", "en": "Room"}}),
        load(TextField, {"id": "day", "label": {"zh": "日期", "en": "Day"}}),
    ]
    said = Key(fields=("room", "day")).refusal(REPEATED, fields)
    assert str(said) == "Another row already has the same Room, Day."
    assert said.values["fields"].in_language("zh") == "房间、日期"
    own = Text.of("Once a day")
    assert Key(fields=("room", "day"), message=own).refusal(REPEATED, fields) == own
