"""Formula text becomes a tree: Excel's grammar, our names."""

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, NoReturn

from schemas.formula.tree import (
    PRECEDENCE,
    UNARY,
    ArrayLiteral,
    Binary,
    Call,
    Literal,
    Name,
    Path,
    Tree,
    Unary,
)
from schemas.formula.values import ERRORS
from schemas.messages import Message, say

LONGEST = 20_000
MOST_NODES = 5_000
DEEPEST = 64
LARGEST_EXPONENT = 300
RESERVED = frozenset(["true", "false", "in", "and", "or", "not", "xor", "if", "ifs", "null", "this", "flow", "me"])

TOKEN = re.compile(
    r"""(?P<space>[\s\u3000]+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<text>"(?:[^"]|"")*")
    |(?P<error>\#(?:DIV/0!|VALUE!|NAME\?|NUM!|REF!|N/A))
    |(?P<cells>\$?[A-Z]{1,3}\$?\d{1,7}:\$?[A-Z]{1,3}\$?\d{1,7})
    |(?P<word>\$?[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_0-9]+)*)
    |(?P<fact>\.[a-z][a-z0-9_]*)
    |(?P<sign><>|<=|>=|!=|==|[-+*/^&=<>%(){},;]|[（），；])""",
    re.VERBOSE | re.ASCII,
)
SYNONYMS = {"==": "=", "!=": "<>", "（": "(", "）": ")", "，": ",", "；": ";"}


class FormulaError(Exception):
    """A formula that cannot be used; `position` is the offset of the offending part."""

    def __init__(self, message: Message, position: int) -> None:
        self.message = message
        self.position = position
        super().__init__(f"{message} (at {position})")


@dataclass(frozen=True)
class Formula:
    """A formula's text and its tree."""

    source: str
    tree: Tree = field(compare=False, repr=False)

    @classmethod
    def of(cls, source: str) -> "Formula":
        """Parse a text; a leading `=` is allowed. Raises FormulaError."""
        return _parsed(source)


class Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@lru_cache(maxsize=4096)
def _parsed(source: str) -> Formula:
    if len(source) > LONGEST:
        raise FormulaError(say("A formula can have at most {limit} characters.", limit=LONGEST), LONGEST)
    return Formula(source, _Parser(tokens_of(source)).formula())


def tokens_of(source: str) -> list[Token]:
    """The words, numbers and signs of a formula, ending with an `end` token."""
    tokens: list[Token] = []
    position = 1 if source.startswith("=") else 0
    while position < len(source):
        found = TOKEN.match(source, position)
        if found is None:
            raise FormulaError(_stray(source[position]), position)
        if found.lastgroup != "space":
            kind = str(found.lastgroup)
            tokens.append(Token(kind, found.group(), position))
        position = found.end()
    tokens.append(Token("end", "", len(source)))
    return tokens


def _stray(character: str) -> Message:
    if character == '"':
        return say("This text has no closing quotation mark.")
    if character in "'“”‘’":
        return say('Write texts between straight double quotation marks: "text".')
    return say("'{character}' does not belong here.", character=character)


class _Parser:
    """A precedence-climbing parser; loops over left operands, so that long sums do not nest."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.nodes = 0
        self.depth = 0

    def formula(self) -> Tree:
        if self.next.kind == "end":
            self.refuse(say("The formula is empty."))
        tree = self.expression(0)
        if self.next.kind != "end":
            self.refuse(say("An operator is missing before '{text}'.", text=self.next.text))
        return tree

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    @property
    def sign(self) -> str:
        """The coming sign or operator, the empty string if something else comes."""
        token = self.next
        if token.kind == "sign":
            return SYNONYMS.get(token.text, token.text)
        return "IN" if token.kind == "word" and token.text.upper() == "IN" else ""

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def refuse(self, message: Message, token: Token | None = None) -> NoReturn:
        raise FormulaError(message, (token or self.next).start)

    def expect(self, sign: str, message: Message) -> Token:
        if self.sign != sign:
            self.refuse(message)
        return self.take()

    def count(self, token: Token) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            self.refuse(say("A formula can have at most {limit} parts.", limit=MOST_NODES), token)

    def expression(self, least: int) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(say("A formula can be nested at most {limit} deep.", limit=DEEPEST))
        tree = self.operand()
        while (binding := PRECEDENCE.get(self.sign, -1)) >= max(least, 0):
            operator = self.sign
            self.count(self.take())
            right = self.expression(binding + 1)
            tree = Binary(operator, tree, right, start=tree.start, end=right.end)
        self.depth -= 1
        return tree

    def operand(self) -> Tree:
        signs = []
        while self.sign in ("-", "+"):
            signs.append(self.take())
            self.count(signs[-1])
        if len(signs) > DEEPEST:
            self.refuse(say("A formula can be nested at most {limit} deep.", limit=DEEPEST), signs[0])
        tree = self.percentages(self.primary())
        for sign in reversed(signs):
            tree = Unary(sign.text, tree, start=sign.start, end=tree.end)
        return tree

    def percentages(self, tree: Tree) -> Tree:
        signs = 0
        while self.sign == "%":
            token = self.take()
            self.count(token)
            signs += 1
            if signs > DEEPEST:
                self.refuse(say("A formula can be nested at most {limit} deep.", limit=DEEPEST), token)
            tree = Unary("%", tree, start=tree.start, end=token.end)
        return tree

    def primary(self) -> Tree:
        token = self.take()
        self.count(token)
        match token.kind:
            case "number":
                return Literal(self.number(token), start=token.start, end=token.end)
            case "text":
                return Literal(self.text(token), start=token.start, end=token.end)
            case "error":
                return Literal(ERRORS[token.text], start=token.start, end=token.end)
            case "cells":
                return Name((token.text.replace("$", ""),), start=token.start, end=token.end)
            case "word" if token.text.upper() != "IN":
                return self.word(token)
            case "sign" if token.text in "(（":
                return self.bracket(token)
            case "sign" if token.text == "{":
                return self.array(token)
            case "end":
                self.refuse(say("Something is missing at the end."), token)
        return self.refuse(say("A value is missing before '{text}'.", text=token.text), token)

    def bracket(self, opening: Token) -> Tree:
        tree = self.expression(0)
        closing = self.expect(")", say("A closing bracket is missing."))
        return replace(tree, start=opening.start, end=closing.end)

    def number(self, token: Token) -> Decimal:
        number = Decimal(token.text)
        if number and abs(number.adjusted()) > LARGEST_EXPONENT:
            self.refuse(say("This number is too large or too small."), token)
        return number

    def text(self, token: Token) -> str:
        if "\0" in token.text:
            self.refuse(say("A text cannot hold the character NUL."), token)
        return token.text[1:-1].replace('""', '"')

    def word(self, token: Token) -> Tree:
        if self.sign == "(":
            return self.call(token)
        if token.text.upper() in ("TRUE", "FALSE"):
            return Literal(token.text.upper() == "TRUE", start=token.start, end=token.end)
        path = tuple(token.text.replace("$", "").split("."))
        return Name(path, start=token.start, end=token.end)

    def call(self, name: Token) -> Tree:
        self.take()
        args: list[Tree] = []
        if self.sign != ")":
            args.append(self.argument())
            while self.sign in (",", ";"):
                self.take()
                args.append(self.argument())
        closing = self.expect(")", say("A closing bracket is missing."))
        facts, end = self.facts(closing.end)
        function = name.text.upper()
        if function in ("TRUE", "FALSE") and not args:
            return Literal(function == "TRUE", start=name.start, end=end)
        return Call(function, tuple(args), facts, start=name.start, end=end)

    def argument(self) -> Tree:
        if self.sign in (",", ";", ")"):
            return Literal(None, start=self.next.start, end=self.next.start)
        return self.expression(0)

    def facts(self, end: int) -> tuple[Path, int]:
        path: list[str] = []
        while self.next.kind == "fact":
            token = self.take()
            path.append(token.text[1:])
            end = token.end
        return tuple(path), end

    def array(self, opening: Token) -> Tree:
        rows: list[tuple[Tree, ...]] = []
        while True:
            row = [self.expression(0)]
            while self.sign == ",":
                self.take()
                row.append(self.expression(0))
            rows.append(tuple(row))
            if self.sign != ";":
                break
            self.take()
        closing = self.expect("}", say("A closing brace is missing."))
        if len({len(row) for row in rows}) > 1:
            self.refuse(say("All rows of a list must have the same number of values."), opening)
        return ArrayLiteral(tuple(rows), start=opening.start, end=closing.end)


assert max(PRECEDENCE.values()) < UNARY
