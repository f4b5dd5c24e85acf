"""CharModel: characters in, stacked cells of one kind, the next character's distribution out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lstm_core.cells import cell as find_cell
from lstm_core.errors import InputError
from lstm_core.formula import FUNCTIONS, SOURCES, Cell, Function, Source
from lstm_core.program import Arithmetic, Operation
from lstm_core.stepping import fixed_weights, masks
from lstm_core.text import Vocabulary
from lstm_core.words import tr


def _cut_line(function: Function) -> Callable[[Tensor], Tensor]:
    """A function that is a straight line within its range."""
    assert function.line is not None
    (slope, offset), (low, high) = function.line, function.range
    return lambda z: torch.clamp(slope * z + offset, low, high)


TORCH_FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    **{name: _cut_line(function) for name, function in FUNCTIONS.items() if function.line},
}
TORCH = Arithmetic(TORCH_FUNCTIONS, linear)
KERNELS = {"lstm": torch.lstm, "gru": torch.gru, "rnn_tanh": torch.rnn_tanh}

States = tuple[Tensor, ...]  # one (layer, batch, unit) tensor a state of the cell, in the order of cell.states
Block = tuple[Tensor, Tensor | None]  # the rows of a weight matrix that serve one gate, and their bias
Blocks = dict[Source, dict[str, Block]]  # what the weights are applied to -> rows -> block


@dataclass(frozen=True)
class _Stacked:
    """The gates that read h_{t-1} and x_t alone, as one matrix on each."""

    weight: Tensor  # (unit, gates x unit), ready for h @ weight
    input_weight: Tensor
    bias: Tensor | None

    def inputs(self, x: Tensor) -> Tensor:
        """What x, (time, batch, input), adds to every gate at every step."""
        return linear(x, self.input_weight, self.bias)


def _stack(parameters: Mapping[str, Sequence[Tensor]], stacked: Sequence[Operation]) -> _Stacked | None:
    if not stacked:
        return None
    parts = [{p.weight: p for p in o.parts} for o in stacked]
    from_h, from_x = (torch.cat([parameters[name][part[name].block] for part in parts]) for name in ("weight_hh", "weight_ih"))
    biases = [
        torch.cat([parameters[part[name].bias][part[name].block] for part in parts])
        for name in ("weight_ih", "weight_hh")
        if parts[0][name].bias in parameters
    ]
    return _Stacked(from_h.T, from_x, sum(biases[1:], biases[0]) if biases else None)


class Recurrent(nn.Module):
    """Stacked layers of one declared cell. Parameters carry PyTorch's names: weight_ih_l0, bias_hh_l1, ...

    A cell that torch has a kernel for runs on that kernel; every other one runs its declared equations.
    """

    def __init__(
        self, cell: Cell, input_size: int, units: int, layers: int = 1, bias: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.cell, self.input_size, self.units, self.layers = cell, input_size, units, layers
        self.bias, self.dropout = bias and cell.biases > 0, dropout
        for layer in range(layers):
            shapes = cell.parameter_shapes(input_size if layer == 0 else units, units, bias)
            for name, shape in shapes.items():
                self.register_parameter(f"{name}_l{layer}", nn.Parameter(torch.empty(shape)))
        self.reset_parameters()

    def reset_parameters(self, forget_bias: float = 1.0, input_range: float | None = None) -> None:
        """Uniform in ±1/sqrt(units) as PyTorch does; the forget gate's bias is `forget_bias` in all.

        input_range: another bound for what the first layer does to its input.
        """
        bound = 1 / math.sqrt(self.units)
        for name, parameter in self.named_parameters():
            width = bound if input_range is None or name != "weight_ih_l0" else input_range
            nn.init.uniform_(parameter, -width, width)
        for layer in range(self.layers if self.bias else 0):
            blocks = self.blocks(layer)
            for rows in self.cell.forget_rows:
                initial: dict[Source, float] = {"ih": forget_bias, "hh": 0.0}
                for source, value in initial.items():
                    _, bias = blocks.get(source, {}).get(rows, (None, None))
                    if bias is not None:
                        nn.init.constant_(bias, value)

    def layer(self, layer: int) -> dict[str, Tensor]:
        """The parameters of one layer as its equations use them: masked, and with those that are never trained.

        Their names lack the _l0. Without a mask they are the trained parameters themselves.
        """
        suffix = f"_l{layer}"
        found: dict[str, Tensor] = {n.removesuffix(suffix): p for n, p in self.named_parameters() if n.endswith(suffix)}
        if self.cell.masks or self.cell.fixed:
            like = next(iter(found.values()))
            for name, mask in masks(self.cell, self.units).items():
                found[name] = found[name] * torch.from_numpy(mask).to(like)
            found |= {n: torch.from_numpy(f).to(like) for n, f in fixed_weights(self.cell, self.units).items()}
        return found

    def zero_states(self, batch: int) -> States:
        """The state before any text: zeros, (layer, batch, unit) each."""
        like = next(self.parameters())
        return tuple(like.new_zeros(self.layers, batch, self.units) for _ in self.cell.states)

    def forward(self, x: Tensor, states: States | None = None, fused: bool = True) -> tuple[Tensor, States]:
        """x: (time, batch, input). Returns the top layer's h, (time, batch, unit), and the states after the last step.

        fused=False runs the declared equations even where torch has a kernel.
        """
        states = self.zero_states(x.shape[1]) if states is None else states
        if fused and self.cell.kernel:
            return self._kernel(x, states)
        last: list[States] = []
        signals: dict[str, Tensor] = {}
        for layer in range(self.layers):
            if layer and self.dropout:
                x = nn.functional.dropout(x, self.dropout, self.training)
            signals, after = self.declared(layer, x, tuple(s[layer] for s in states), ("hidden", *self.cell.below), signals)
            x = signals["hidden"]
            last.append(after)
        return x, tuple(torch.stack([after[k] for after in last]) for k in range(len(states)))

    def _kernel(self, x: Tensor, states: States) -> tuple[Tensor, States]:
        return self.run_kernel(x, states, [list(self.layer(layer).values()) for layer in range(self.layers)])

    def run_kernel(self, x: Tensor, states: States, weights: list[list[Tensor]]) -> tuple[Tensor, States]:
        """torch's own kernel of this cell over some layers' weights. Raises ValueError where torch has none."""
        if self.cell.kernel is None:
            raise ValueError(f"torch has no kernel for the cell {self.cell.name!r}")
        flat = [w for layer in weights for w in layer]
        hx: Any = states if self.cell.kernel == "lstm" else states[0]
        run: Any = KERNELS[self.cell.kernel]
        out, *after = run(x, hx, flat, self.bias, len(weights), self.dropout, self.training, False, False)
        return out, tuple(after)

    def declared(
        self,
        layer: int,
        x: Tensor,
        states: States,
        keep: Sequence[str] = ("hidden",),
        below: Mapping[str, Tensor] = MappingProxyType({}),
    ) -> tuple[dict[str, Tensor], States]:
        """Runs one layer by its declared equations, in plain torch operations, step by step.

        x: (time, batch, input); states: (batch, unit) each. keep: the signals to return, (time, batch, unit) each.
        below: the signals of the layer below, likewise; none for the first, which reads zeros.
        """
        program = self.cell.program
        parameters = {name: torch.split(p, self.units) for name, p in self.layer(layer).items()}
        together = program.stacked
        stacked = _stack(parameters, together)
        # unbind, not [t]: the gradient of [t] fills a tensor of all steps, at each step
        inputs = x.unbind(0)
        from_x = None if stacked is None else stacked.inputs(x).unbind(0)

        operations = [(o.into, TORCH.runs(o, parameters)) for o in program.operations if o not in together]
        number = program.numbers
        values: list[Any] = [parameters[b.name][b.block] if b.role == "weight" else None for b in program.buffers]
        after = dict(zip(program.states, states))
        kept: dict[str, list[Tensor]] = {name: [] for name in keep}
        before = [(number["before", name], name) for name in program.states if ("before", name) in number]
        zeros = x.new_zeros(x.shape[1], self.units)
        from_below = [(number["below", n], below[n].unbind(0) if below else [zeros] * len(x)) for n in self.cell.below]
        for t, x_t in enumerate(inputs):
            values[number["input", "x"]] = x_t
            for k, each in from_below:
                values[k] = each[t]
            for k, name in before:
                values[k] = after[name]
            if stacked is not None and from_x is not None:
                products = torch.addmm(from_x[t], after["hidden"], stacked.weight)
                for o, product in zip(together, torch.split(products, self.units, dim=-1)):
                    values[o.into] = product
            for into, run in operations:
                values[into] = run(values.__getitem__)
            for name, collected in kept.items():
                collected.append(values[number["signal", name]])
            after = {name: values[number["signal", name]] for name in program.states}
        return {n: torch.stack(v) for n, v in kept.items()}, tuple(after[name] for name in program.states)

    def blocks(self, layer: int) -> Blocks:
        """The row blocks of one layer's weights: source ("ih", "hh", "ch", "peephole") -> rows -> (weight, bias or None)."""
        parameters, found = self.layer(layer), Blocks()
        for source in SOURCES:
            weight, bias = parameters.get(f"weight_{source}"), parameters.get(f"bias_{source}")
            if weight is not None:
                rows = self.cell.rows_of(source)
                biases = [None] * len(rows) if bias is None else torch.split(bias, self.units)
                found[source] = dict(zip(rows, zip(torch.split(weight, self.units), biases)))
        return found

    def extra_repr(self) -> str:
        """What print(model) says of it."""
        return tr("{self.cell.name}, {self.input_size}, {self.units}, layers={self.layers}", self=self)


class CharModel(nn.Module):
    """A character model: one-hot or embedded characters, stacked cells of one kind, a linear next-character head.

    vocabulary: the characters, in the order of their ids. cell: a registered cell's name or a `Cell`. functions: other
    squashing functions than the cell's own, as in `Cell.with_functions`.
    units, layers: sizes, 1 or more. embedding: its width, or None for one-hot input. dropout: 0 to 1, between the layers
    and before the head, in training alone. bias, head_bias: whether cells and head have any. name, card: what the model is
    called, and what is known of its training.
    Raises InputError for a cell or function that is not registered and for sizes under 1.
    Source: Graves 2013, Karpathy 2015 (char-rnn).
    """

    def __init__(
        self,
        vocabulary: Vocabulary | Sequence[str],
        cell: str | Cell = "lstm",
        units: int = 128,
        layers: int = 1,
        embedding: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        head_bias: bool = True,
        name: str = "unnamed",
        functions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.vocabulary = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
        declared = (find_cell(cell) if isinstance(cell, str) else cell).with_functions(functions or {})
        for what, size in (("units", units), ("layers", layers), ("embedding", embedding)):
            if size is not None and size < 1:
                raise InputError(tr("{what} must be 1 or more, not {size}", what=what, size=size))
        vocab = len(self.vocabulary)
        self.embedding = None if embedding is None else nn.Embedding(vocab, embedding)
        self.rnn = Recurrent(declared, vocab if embedding is None else embedding, units, layers, bias, dropout)
        self.head = nn.Linear(units, vocab, bias=head_bias)
        self.dropout = dropout
        self.name = name
        self.card: dict[str, Any] = {}

    @property
    def cell(self) -> Cell:
        """The declaration of the cell that all layers are made of."""
        return self.rnn.cell

    @property
    def units(self) -> int:
        """How many units each layer has: the length of h."""
        return self.rnn.units

    @property
    def layers(self) -> int:
        """How many layers stand one on another."""
        return self.rnn.layers

    @property
    def config(self) -> dict[str, Any]:
        """What must be known, beside the weights and the vocabulary, to build this model again."""
        variant = {"functions": dict(self.cell.functions)} if self.cell.functions else {}
        return variant | {
            "cell": self.cell.name,
            "units": self.units,
            "layers": self.layers,
            "embedding": None if self.embedding is None else self.embedding.embedding_dim,
            "dropout": self.dropout,
            "bias": self.rnn.bias or self.cell.biases == 0,
            "head_bias": self.head.bias is not None,
        }

    def read(self, ids: Tensor) -> Tensor:
        """ids: int64 (time, batch). Returns what the first layer reads: (time, batch, input)."""
        if self.embedding is not None:
            return self.embedding(ids)
        return nn.functional.one_hot(ids, len(self.vocabulary)).to(self.head.weight.dtype)

    def inputs(self, ids: np.ndarray) -> Tensor:
        """What the first layer reads of one text: (time, input) for ids, int64 (time,); for a single id, (input,)."""
        given = torch.from_numpy(np.array(ids, np.int64)).to(self.head.weight.device)
        return self.read(given.reshape(-1, 1))[:, 0].reshape(*given.shape, -1)

    def forward(self, ids: Tensor, states: States | None = None, fused: bool = True) -> tuple[Tensor, States]:
        """ids: int64 (time, batch). Returns logits (time, batch, vocab) and the states after the last step."""
        h, states = self.rnn(self.read(ids), states, fused)
        return self.head(nn.functional.dropout(h, self.dropout, self.training)), states
