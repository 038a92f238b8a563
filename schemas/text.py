"""Text: a label in several languages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.messages import Message

LANGUAGES = ("zh", "en")
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that no database keeps: NUL, and halves of surrogate pairs."""


@dataclass(frozen=True)
class Text:
    """What people read, by language code. A plain string counts for every language."""

    by_language: dict[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, text: "str | dict[str, str] | Text") -> "Text":
        if isinstance(text, Text):
            return text
        return cls({"": text} if isinstance(text, str) else dict(text))

    def dump(self) -> str | dict[str, str]:
        if set(self.by_language) == {""}:
            return self.by_language[""]
        return dict(self.by_language)

    def in_language(self, language: str) -> str:
        """The text in this language, else in any that there is."""
        texts = self.by_language
        found = texts.get(language) or texts.get("") or texts.get("en") or texts.get("zh")
        return found or next(iter(texts.values()), "")

    def __bool__(self) -> bool:
        return any(self.by_language.values())

    def __str__(self) -> str:
        return self.in_language("en")


SEPARATORS = {"zh": "、"}


def listed(texts: Iterable[Text]) -> Text:
    """Several texts as one, in every language that one of them has."""
    parts = list(texts)
    languages = {language for part in parts for language in part.by_language}
    return Text(
        {
            language: SEPARATORS.get(language, ", ").join(p.in_language(language) for p in parts)
            for language in languages
        }
    )


Sentence = Message | Text
"""Something to tell a person: ours, translated by catalogue, or a definition's own."""
