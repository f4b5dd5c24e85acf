"""A GRU read by another's figure: z pointing the other way, and the reset on the other side of the product.

Turning z is a switch of notation, if the values are swapped with the name. Moving the reset makes another cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lstm_core.errors import InputError
from lstm_core.formula import Affine, Apply, Cell, Complement, Expression, Product, Signal, Sum, Vector, h_prev, x
from lstm_core.model import CharModel
from lstm_core.trace import Trace
from lstm_core.tracing import trace
from lstm_core.words import tr

Z = Vector("update")


@dataclass(frozen=True, eq=False)
class Reading:
    """The same weights read by another form of their cell, on the text of a trace.

    model, trace: of the other form. before, after: the loss, nats a character, as trained and by the other form; NaN for
    one character alone. apart: float32 (layer, time), the largest |difference of h| over the units, 0 to 2.
    """

    model: CharModel
    trace: Trace
    before: float
    after: float
    apart: np.ndarray

    @property
    def furthest(self) -> float:
        """The largest |difference of h| of any unit at any character, 0 to 2."""
        return float(self.apart.max())


def is_gru(cell: Cell) -> bool:
    """True for a cell that shares its h out between the old and a candidate by an update gate, and has a reset gate."""
    return {"update", "reset", "candidate"} <= set(cell.names)


def keeps_old(cell: Cell) -> bool:
    """True where z near 1 keeps the old h (Cho et al. 2014, PyTorch), False where it lets the new in (Olah 2015).

    Raises InputError for a cell that is no GRU.
    """
    old = _shares(cell)[0]
    return old.left == Z


def resets_before(cell: Cell) -> bool:
    """True where the reset gate multiplies h before the weights do (Cho et al. 2014, Olah 2015), False behind them (PyTorch).

    Raises InputError for a cell that is no GRU.
    """
    return isinstance(_candidate(cell).argument, Affine)


def z_swapped(cell: Cell) -> Cell:
    """The same cell with z in the other sense: its values are 1 - z, and the equation of h has changed sides with them.

    Raises InputError for a cell that is no GRU. Source: Cho et al. 2014, equation 7, against Olah 2015.
    """
    turned = z_renamed(cell)
    signals = (replace(s, equation=1 - s.equation) if s.name == "update" else s for s in turned.signals)
    return replace(turned, signals=tuple(signals))


def z_renamed(cell: Cell) -> Cell:
    """The mistake: the equation of h in the other sense of z, with the values of z left as they are. It is another cell.

    Raises InputError for a cell that is no GRU. Source: Cho et al. 2014, equation 7, against Olah 2015.
    """
    old, new = _shares(cell)
    if keeps_old(cell):
        hidden: Expression = (1 - Z) * h_prev + Z * new.right
        note, lead = tr("z near 1 lets the new in."), ("z ×", "+ (1−z) × h′", "=")
    else:
        hidden = (1 - Z) * new.right + Z * old.right
        note, lead = tr("z near 1 keeps the old."), ("(1−z) ×", "+ z × h′", "=")
    signals = (replace(s, equation=hidden, lead=lead) if s.name == "hidden" else s for s in cell.signals)
    return replace(cell, title=tr("{cell.title}, z turned", cell=cell), signals=tuple(signals), kernel=None, note=note)


def reset_moved(cell: Cell) -> Cell:
    """The same cell, its z and its biases, with the reset on the other side of the product. It is another cell.

    Raises InputError for a cell that is no GRU.
    Source: Olah 2015 (before: W [r * h, x]) against PyTorch and cuDNN (behind: W_in x + r * (W_hn h)).
    """
    candidate, reset = _candidate(cell), Vector("reset")
    rows = candidate.affines[0].rows
    if resets_before(cell):
        argument: Expression = Affine(rows, (x,), "in") + reset * Affine(rows, (h_prev,), "hn")
        note, lead = tr("The reset has been moved behind the product."), ("r × (W h′)", "tanh")
    else:
        argument = Affine(rows, (reset * h_prev, x), "")
        note, lead = tr("The reset has been moved before the product."), ("r × h′", "tanh")
    moved = Apply(candidate.function, argument)
    signals = (replace(s, equation=moved, lead=lead) if s.name == "candidate" else s for s in cell.signals)
    return replace(cell, title=tr("{cell.title}, reset moved", cell=cell), signals=tuple(signals), kernel=None, note=note)


def read_as(model: CharModel, seen: Trace, form: Callable[[Cell], Cell]) -> Reading:
    """Runs a model's own weights through another form of its cell, on the text that a trace has seen.

    seen: a trace of the model, from whichever state. form: `z_swapped`, `z_renamed` or `reset_moved`.
    Raises InputError for a model that is no GRU and for another model's trace.
    """
    if (seen.cell, seen.layers, seen.units) != (model.cell, model.layers, model.units):
        raise InputError(
            tr("{model.name} is {model.cell.title}, and the trace is of another model, {seen.model}", model=model, seen=seen)
        )
    other = with_cell(model, form(model.cell))
    read = trace(other, seen.text, seen.initial)
    apart = np.abs(read["hidden"] - seen["hidden"]).max(axis=2)
    return Reading(other, read, seen.loss, read.loss, apart)


def with_cell(model: CharModel, cell: Cell) -> CharModel:
    """A model's own weights, copied, under another cell with the same parameters.

    Raises RuntimeError when the other cell's parameters have other names or shapes.
    """
    embedding = None if model.embedding is None else model.embedding.embedding_dim
    other = CharModel(
        model.vocabulary, cell, model.units, model.layers, embedding, model.dropout, model.rnn.bias,
        model.head.bias is not None, model.name,
    )  # fmt: skip
    other.load_state_dict(model.state_dict())
    return other.eval()


def _signal(cell: Cell, name: str) -> Signal:
    if not is_gru(cell):
        raise InputError(
            tr(
                "{cell.title} is no GRU: it has {names}, not update, reset and candidate",
                cell=cell,
                names=", ".join(cell.names),
            )
        )
    return cell[name]


def _shares(cell: Cell) -> tuple[Product, Product]:
    """The two products that h is the sum of: the share of the old, and that of the new."""
    match _signal(cell, "hidden").equation:
        case Sum(Product() as left, Product() as right):
            old, new = (left, right) if left.right == h_prev else (right, left)
            if old.right == h_prev and {old.left, new.left} == {Z, Complement(Z)}:
                return old, new
    raise ValueError(f"h of {cell.title} is not shared out between the old and the new by z and 1 - z")


def _candidate(cell: Cell) -> Apply:
    equation = _signal(cell, "candidate").equation
    if not isinstance(equation, Apply):
        raise ValueError(f"the candidate of {cell.title} is no squashed sum")
    return equation
