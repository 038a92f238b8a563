"""AI request: a language model reads a text with values of the record, and says something about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from schemas import payloads
from schemas.errors import Problem
from schemas.formula import Formula, Type
from schemas.formula.types import TEXT
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Prose
from schemas.steps.base import Step, step_types
from schemas.text import Text
from schemas.wording import formulas_in

if TYPE_CHECKING:
    from schemas.engine.run import Run
    from schemas.engine.state import Token
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class AiStep(Step):
    """Asks the language model that an administrator has set up. Later steps know `text`, and `body` by the sample."""

    type = "ai"
    title_word = "Ask a language model"
    icon = "step-ai"
    starts_with: ClassVar[Mapping[str, Any]] = {"prompt": {"zh": "用一句话概括：", "en": "Sum up in one sentence: "}}

    prompt: Text = option(
        Prose(required=True), "What it is asked", Text(),
        help="Formulas in braces are filled in: {no}. What they give is sent to the model's server.",
    )  # fmt: skip
    sample: str = option(
        payloads.Sample(), "A sample of the answer", "", help="With one the model answers in JSON of this shape; without, in words."
    )  # fmt: skip

    def problems(self) -> Iterator[tuple[str, Message]]:
        text = self.sample.strip()
        if text and not text.startswith("{"):
            yield "sample", say("paste an object, such as {example}", example='{"mood": "good"}')

    def enter(self, run: "Run", token: "Token") -> None:
        run.perform(token, self)

    def formulas(self) -> Iterator[Formula]:
        yield from formulas_in(self.prompt)

    def result(self, place: "Place") -> Type | None:
        return self.answer

    @property
    def answer(self) -> Type:
        """The type of what comes back."""
        text = self.sample.strip()
        body = {"body": payloads.type_of(payloads.read_json(text), f"{self.id}.body")} if text else {}
        return Type("any", target=f"{self.id}.answer", parts={"text": TEXT, **body})

    def fit(self, text: str, body: Any, zone: Any) -> Mapping[str, Any]:
        """What came back, as values of that type."""
        parts = self.answer.parts or {}
        shaped = {"body": payloads.in_zone(payloads.fit(body, parts["body"]), zone)} if "body" in parts else {}
        return {"text": text, **shaped}

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from place.wording("prompt", self.prompt)
