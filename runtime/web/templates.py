"""The environment of templates: Flask's, quicker where a form of many fields and a list of many cells ask most of it."""

import re
from collections.abc import MutableMapping
from typing import Any

from flask.templating import Environment
from jinja2 import Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

_special = re.compile("[&<>\"']").search


def written(value: Any) -> str:
    """A value as it is put between texts of HTML. What has nothing to escape is not made a Markup first.

    `{{ "wrong" if f.errors }}` comes to an Undefined where nothing is wrong, which writes nothing.
    """
    kind = type(value)
    if kind is Markup or kind is str and not _special(value):
        return value  # type: ignore[no-any-return]
    return "" if kind is Undefined else escape(value)


class Writer(CodeGenerator):
    """Makes templates that write values by `written`."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.written(")


class Templates(Environment):
    """What every template knows is one plain dict: a form imports a template for each of its fields, and each import
    compares what the page knows with what the template does, which over a chain of two maps takes long.
    """

    code_generator_class = Writer
    written = staticmethod(written)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}
