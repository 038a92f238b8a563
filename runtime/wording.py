"""Sentences in the reader's language, for the rooms behind the doors: the door says who translates."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from schemas.messages import Message
from schemas.text import Text

Translator = Callable[[Any], str]
_translator: ContextVar[Translator] = ContextVar("translator", default=str)


def translate(sentence: Message | Text | str | None) -> str:
    """In the language of whoever is being answered; in English where nobody is."""
    return "" if sentence is None else _translator.get()(sentence)


def use(translator: Translator) -> None:
    _translator.set(translator)
