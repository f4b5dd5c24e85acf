"""From what a reader has found, layer by layer, to a draft: rows put in our order, sizes held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lstm_core.cells import cell as find_cell
from lstm_core.convert.draft import ConvertError, Draft, numbers
from lstm_core.formula import FUNCTIONS, Cell
from lstm_core.text import Vocabulary
from lstm_core.words import N_, tr

GRU_FORMS = {
    "gru": N_("the reset comes before the product, z near 1 lets the new in (the essay's)"),
    "gru_cho": N_("the reset comes before the product, z near 1 keeps the old (Cho et al.'s)"),
    "gru_pytorch": N_("the reset comes after the product, z near 1 keeps the old (PyTorch's, cuDNN's)"),
}


@dataclass(frozen=True, eq=False)
class Layer:
    """One recurrent layer of a file, its rows in our order.

    title: as the file calls it. cell: its declaration. parameters: under our names without the layer ("weight_ih").
    biases: what was found of them, in words.
    """

    title: str
    cell: Cell
    parameters: Mapping[str, np.ndarray]
    biases: str

    @property
    def units(self) -> int:
        """How many units it has."""
        return self.parameters["weight_hh"].shape[1]

    @property
    def inputs(self) -> int:
        """How many numbers it reads at a step."""
        return self.parameters["weight_ih"].shape[1]


def layer(
    title: str,
    cell: Cell,
    order: Sequence[str],
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray | None = None,
    bias_hh: np.ndarray | None = None,
    peephole: tuple[Sequence[str], np.ndarray] | None = None,
) -> Layer:
    """A layer whose rows stand in a foreign order.

    order: our names of the foreign row blocks, as they stand there: "ifgo". weight_ih: (rows x unit, input). weight_hh: (rows
    x unit, unit). bias_ih, bias_hh: (rows x unit,) or None. peephole: its order and (rows x unit,). Where our cell has one
    bias, they are added. Raises ConvertError when the shapes do not fit each other.
    """
    rows, units = len(weight_hh), weight_hh.shape[1] if weight_hh.ndim == 2 else 0
    wanted: dict[str, tuple[int, ...]] = {"weight_hh": (len(order) * units, units)}
    wanted["weight_ih"] = (rows, weight_ih.shape[1] if weight_ih.ndim == 2 else 0)
    given: dict[str, np.ndarray | None] = {
        "weight_hh": weight_hh,
        "weight_ih": weight_ih,
        "bias_ih": bias_ih,
        "bias_hh": bias_hh,
    }
    for name, array in given.items():
        shape = wanted.get(name, (rows,))
        if array is not None and (array.shape != shape or 0 in shape):
            raise ConvertError(
                tr(
                    "“{title}”: {name} has shape {array.shape}, which does not fit {order_count} blocks of {units} units each",
                    title=title,
                    name=name,
                    array=array,
                    order_count=len(order),
                    units=units,
                )
            )
    parameters = {name: _reordered(numbers(f"“{title}”", a), order, cell.rows) for name, a in given.items() if a is not None}
    if cell.biases == 1 and bias_ih is not None and bias_hh is not None:
        parameters["bias_ih"] = parameters["bias_ih"] + parameters.pop("bias_hh")
    if peephole is not None:
        looks, weights = peephole
        if weights.shape != (len(looks) * units,):
            raise ConvertError(
                tr(
                    "“{title}”: its peepholes have shape {weights.shape}, they must be {looks_count} x {units} numbers",
                    title=title,
                    weights=weights,
                    looks_count=len(looks),
                    units=units,
                )
            )
        parameters["weight_peephole"] = _reordered(numbers(f"“{title}”", weights), looks, cell.diagonals)
    found = sum(b is not None for b in (bias_ih, bias_hh))
    added = tr(", added up") if cell.biases < found else ""
    return Layer(
        title, cell, parameters, (tr("none in the cells"), tr("one a layer"), tr("two a layer{added}", added=added))[found]
    )


def _reordered(stacked: np.ndarray, given: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Row blocks in another order; those that are not wanted fall away."""
    blocks = dict(zip(given, np.split(stacked, len(given))))
    return np.concatenate([blocks[rows] for rows in wanted])


def variant(name: str, functions: Mapping[str, str]) -> Cell:
    """A registered cell with the functions that a file says it applies: {"sigmoid": ..., "tanh": ...}."""
    return find_cell(name).with_functions(functions)


@dataclass(eq=False)
class Found:
    """What a reader has found so far.

    source: the format. order: the gate order, in words. layers: from the first on. embedding: (symbol, width), None for
    one-hot. head: (symbol, unit). head_title: as the file calls it.
    """

    source: str
    order: str
    layers: list[Layer] = field(default_factory=list)
    embedding: np.ndarray | None = None
    head: np.ndarray | None = None
    head_bias: np.ndarray | None = None
    head_title: str = ""
    vocabulary: Vocabulary | None = None
    ignored: list[str] = field(default_factory=list)
    more: tuple[tuple[str, str], ...] = ()

    def draft(self) -> Draft:
        """The draft of it all. Raises ConvertError where the parts are no character model of alike layers."""
        if not self.layers:
            raise ConvertError(tr("the file's model has no recurrent layer that could be read"))
        if self.head is None:
            raise ConvertError(
                tr(
                    "the file's model has no head: after its last recurrent layer, “{title}”, no dense layer predicts"
                    " the next character",
                    title=self.layers[-1].title,
                )
            )
        self._check()
        first, size = self.layers[0], len(self.head)
        cell, units = first.cell, first.units
        parameters = {"head.weight": numbers(tr("the head"), self.head)}
        if self.head_bias is not None:
            parameters["head.bias"] = numbers(tr("the head's bias"), self.head_bias)
        if self.embedding is not None:
            parameters["embedding.weight"] = numbers(tr("the embedding"), self.embedding)
        biased = any("bias_ih" in layer.parameters for layer in self.layers)
        for k, each in enumerate(self.layers):
            for name, shape in cell.parameter_shapes(each.inputs, units, biased).items():
                array = each.parameters.get(name)
                parameters[f"rnn.{name}_l{k}"] = np.zeros(shape, np.float32) if array is None else array
        width = None if self.embedding is None else self.embedding.shape[1]
        weights = sum(array.size for array in parameters.values())
        form = ((tr("GRU form"), GRU_FORMS[cell.name]),) if cell.name in GRU_FORMS else ()
        head_bias = tr("without a bias") if self.head_bias is None else tr("with a bias")
        detected = (
            ("cell", tr("{cell.title}, from “{first.title}”", cell=cell, first=first)),
            ("layers", tr("{layers_count} × {units} units", layers_count=len(self.layers), units=units)),
            ("sizes", tr("{size} symbols, {weights:,} weights", size=size, weights=weights)),
            (tr("gate order"), self.order),
            *form,
            ("biases", first.biases),
            ("activations", activations(cell)),
            (
                "input",
                tr("one-hot, {size} numbers", size=size)
                if width is None
                else tr("embedding, {size} × {width}", size=size, width=width),
            ),
            (
                "head",
                tr(
                    "linear, “{self.head_title}”, {size} × {units}, {head_bias}",
                    self=self,
                    size=size,
                    units=units,
                    head_bias=head_bias,
                ),
            ),
            *self.more,
        )
        ignored = tuple(dict.fromkeys(self.ignored))
        return Draft(
            self.source, cell, units, len(self.layers), parameters, width, size, self.vocabulary, detected, ignored
        )  # fmt: skip

    def _check(self) -> None:
        assert self.head is not None
        first, size = self.layers[0], len(self.head)
        for below, each in zip(self.layers, self.layers[1:]):
            if each.cell != first.cell:
                raise ConvertError(
                    tr(
                        "“{first.title}” is a {first.cell.title}, “{each.title}” a {each.cell.title}: layers of"
                        " different cells are not supported",
                        first=first,
                        each=each,
                    )
                )
            if each.units != first.units:
                raise ConvertError(
                    tr(
                        "“{first.title}” has {first.units} units, “{each.title}” {each.units}: layers of different"
                        " sizes are not supported",
                        first=first,
                        each=each,
                    )
                )
            if each.inputs != below.units:
                raise ConvertError(
                    tr(
                        "“{each.title}” reads {each.inputs} numbers, but “{below.title}” below it has {below.units} units",
                        each=each,
                        below=below,
                    )
                )
        if self.head.ndim != 2 or self.head.shape[1] != first.units:
            raise ConvertError(
                tr(
                    "the head “{self.head_title}” has shape {self.head.shape}; over {first.units} units it must be"
                    " (symbols, {first.units})",
                    self=self,
                    first=first,
                )
            )
        if self.head_bias is not None and self.head_bias.shape != (size,):
            raise ConvertError(
                tr(
                    "the head's bias has shape {self.head_bias.shape}; for {size} symbols it must be ({size},)",
                    self=self,
                    size=size,
                )
            )
        if self.embedding is None and first.inputs != size:
            why = (
                tr("it reads each character as a single number")
                if first.inputs == 1
                else tr("it is no one-hot character model")
            )
            raise ConvertError(
                tr(
                    "“{first.title}” reads {first.inputs} numbers a step, but the head predicts {size} symbols: {why}",
                    first=first,
                    size=size,
                    why=why,
                )
            )
        if self.embedding is not None and (self.embedding.ndim != 2 or len(self.embedding) != size):
            raise ConvertError(
                tr(
                    "the embedding has shape {self.embedding.shape}, but the head predicts {size} symbols: it is no"
                    " model that predicts the next of the characters it reads",
                    self=self,
                    size=size,
                )
            )
        if self.embedding is not None and self.embedding.shape[1] != first.inputs:
            raise ConvertError(
                tr(
                    "the embedding is {shape} numbers wide, but “{first.title}” reads {first.inputs}",
                    shape=self.embedding.shape[1],
                    first=first,
                )
            )


def activations(cell: Cell) -> str:
    """What a cell applies, in words: "sigmoid for the gates, tanh for the rest"."""
    now = {"sigmoid": "sigmoid", "tanh": "tanh"} | dict(cell.functions)
    gates, rest = (FUNCTIONS[now[name]].title for name in ("sigmoid", "tanh"))
    return rest if cell.name == "rnn" else tr("{gates} for the gates, {rest} for the rest", gates=gates, rest=rest)
