"""The names that the fields of a form have on a page.

An input takes the place of whatever its form has under the input's name: where a field is called `children` or `remove`,
no script can find the form's children or take it away. What a browser calls something gets a full stop behind it.
"""

_OF_FORMS = """action after animate append attributes autocomplete autofocus before blur children click closest constructor
contains dataset dir draggable elements encoding enctype focus hidden inert lang length matches method nonce normalize part
popover prefix prepend pseudo rel remove reset role scroll slot spellcheck style submit target translate when"""
_OF_INPUTS = "form files type checked disabled selected options open"
TAKEN = frozenset(f"{_OF_FORMS} {_OF_INPUTS}".split())
"""Properties of a form in a browser that are written in small letters alone, and of inputs, since scripts ask whatever
they meet for them. Nobody asks for `name` and `title`; `id` no field may be called."""
MARK = "."


def on_page(id: str) -> str:
    """The name of a field's input."""
    return id + MARK if id in TAKEN else id


def off_page(name: str) -> str:
    """The id of the field whose input has this name; other names stay."""
    return name.removesuffix(MARK)
