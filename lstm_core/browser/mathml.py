"""Equations for a page that has no typesetter: the LaTeX that cells and explanations are written in, as MathML."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\S")
NAMES = {r"\sigma": "σ", r"\tanh": "tanh"}
SIGNS = {r"\cdot": "⋅", r"\times": "×", "*": "∗", "-": "−", "+": "+", "=": "=", ",": ",", ":": ":"}
FENCES = "()[]"
BEFORE_SIGN = ("(</mo>", "[</mo>", "=</mo>", ":</mo>", '<mspace width="1em"/>')  # a minus after these belongs to its number
SIGN = '<mo form="prefix" lspace="0" rspace="0">−</mo>'
ACCENTS = {r"\tilde": "~", r"\hat": "^", r"\bar": "¯"}


def mathml(*rows: str) -> str:
    """Equations as one <math> element, below each other.

    rows: LaTeX, as `formula.equation` and `analysis.explain` write it. Returns MathML Core, which browsers draw by
    themselves. Raises ValueError, naming it, for a command that is not among those that cells are written with.
    Source: W3C MathML Core.
    """
    lines = [_row(_Tokens(row)) for row in rows]
    if len(lines) == 1:
        return f'<math display="block">{lines[0]}</math>'
    table = "".join(f"<mtr><mtd>{line}</mtd></mtr>" for line in lines)
    return f'<math display="block"><mtable>{table}</mtable></math>'


class _Tokens:
    """What is left to read of a formula."""

    def __init__(self, latex: str) -> None:
        self.left = TOKEN.findall(latex)[::-1]

    def next(self) -> str:
        if not self.left:
            raise ValueError("a formula ends in the middle")
        return self.left.pop()

    def follows(self, token: str) -> bool:
        """Takes the next token if it is this one."""
        found = bool(self.left) and self.left[-1] == token
        if found:
            self.left.pop()
        return found


def _row(tokens: _Tokens, end: str = "") -> str:
    """All that stands before the token `end`, which is taken too, or before the formula's end."""
    items: list[str] = []
    while tokens.left and tokens.left[-1] != end:
        is_sign = not items or items[-1].endswith(BEFORE_SIGN)
        items.append(SIGN if is_sign and tokens.follows("-") else _scripted(tokens))
    if end and not tokens.follows(end):
        raise ValueError(f"a formula lacks its {end}")
    return items[0] if len(items) == 1 else f"<mrow>{''.join(items)}</mrow>"


def _scripted(tokens: _Tokens) -> str:
    """One item with what hangs below and above it."""
    braced = bool(tokens.left) and tokens.left[-1] == r"\underbrace"
    item, scripts = _item(tokens), {}
    while tokens.left and tokens.left[-1] in "_^":
        place = tokens.next()
        scripts[place] = _item(tokens)
    if not scripts:
        return item
    if braced:
        return f"<munder>{item}{scripts['_']}</munder>"
    name = {"_": "msub", "^": "msup", "_^": "msubsup", "^_": "msubsup"}["".join(scripts)]
    return f"<{name}>{item}{''.join(scripts[k] for k in '_^' if k in scripts)}</{name}>"


def _item(tokens: _Tokens) -> str:
    token = tokens.next()
    if token in _COMMANDS:
        return _COMMANDS[token](tokens)
    if token in NAMES:
        return f"<mi>{NAMES[token]}</mi>"
    if token in ACCENTS:
        return f'<mover accent="true">{_item(tokens)}<mo stretchy="false">{ACCENTS[token]}</mo></mover>'
    if token in SIGNS:
        return f"<mo>{SIGNS[token]}</mo>"
    if token in FENCES:
        return f'<mo stretchy="false">{token}</mo>'
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    if token.isalpha():
        return f"<mi>{escape(token)}</mi>"
    raise ValueError(f"a formula can't be drawn: {token!r} is none of the commands that cells are written with")


def _group(tokens: _Tokens) -> str:
    """What stands in braces; letters alone are one name, as in W_{in}."""
    if "}" in tokens.left:
        inside = tokens.left[len(tokens.left) - tokens.left[::-1].index("}") :][::-1]
        if len(inside) > 1 and all(len(token) == 1 and token.isalpha() for token in inside):
            del tokens.left[-len(inside) - 1 :]
            return f"<mi>{escape(''.join(inside))}</mi>"
    return _row(tokens, "}")


def _fraction(tokens: _Tokens) -> str:
    return f"<mfrac>{_item(tokens)}{_item(tokens)}</mfrac>"


_COMMANDS: dict[str, Callable[[_Tokens], str]] = {
    "{": _group,
    r"\left": lambda tokens: f"<mo>{escape(tokens.next())}</mo>",
    r"\right": lambda tokens: f"<mo>{escape(tokens.next())}</mo>",
    r"\,": lambda tokens: '<mspace width="0.17em"/>',
    r"\quad": lambda tokens: '<mspace width="1em"/>',
    r"\operatorname": lambda tokens: _item(tokens),
    r"\tfrac": _fraction,
    r"\underbrace": lambda tokens: f"<munder>{_item(tokens)}<mo>⏟</mo></munder>",
}
