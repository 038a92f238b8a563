"""Sentences for people, kept apart from the values in them so that the edge can translate them."""

from dataclasses import dataclass, field
from typing import Any


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
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text
