"""Sentences for people, kept apart from the values in them so that the edge can translate them."""

import re
from dataclasses import dataclass, field
from typing import Any

PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Message:
    """An English sentence with `{placeholders}`, which is also its key in the translation catalogue."""

    text: str
    values: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return fill(self.text, self.values)


def say(text: str, /, **values: Any) -> Message:
    return Message(text, values)


def fill(text: str, values: dict[str, Any]) -> str:
    """Put values into a (possibly translated) sentence. Values never act as templates themselves."""
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)
