"""From named arrays, as torch's modules name them, to a draft: which are the cells, the embedding and the head.

Names differ from maker to maker, so arrays are told by the end of the name (weight_ih_l0) and by their shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import numpy as np

from lstm_core.cells import cell as find_cell
from lstm_core.convert import vocabularies
from lstm_core.convert.draft import LARGEST_ARRAY, ConvertError, Draft, numbers
from lstm_core.words import N_, tr, tr_n

PART = re.compile(r"(weight|bias)_(ih|hh|hr)(?:_l(\d{1,3}))?(_reverse)?")
CELLS = {4: "lstm", 3: "gru_pytorch", 1: "rnn"}
ORDERS = {"lstm": N_("i, f, g, o (PyTorch's)"), "gru_pytorch": N_("r, z, n (PyTorch's)"), "rnn": N_("one block: no gates")}
FORMS = {"gru_pytorch": N_("the reset comes after the product, z near 1 keeps the old (PyTorch's, cuDNN's)")}
ACTIVATIONS = {
    "lstm": N_("sigmoid for the gates, tanh for the candidate and the output, as in nn.LSTM"),
    "gru_pytorch": N_("sigmoid for the gates, tanh for the candidate, as in nn.GRU"),
    "rnn": N_("tanh, nn.RNN's own, unless the file says otherwise: a ReLU's weights look the same, and would not read"),
}
LONGEST_NAME = 500
MOST_STACKS = 32  # recurrent modules among which copies are looked for
COPIES = re.compile(r"ema|swa|avg|average|averaged|shadow|teacher|target|old|initial|init|previous|prev|backup", re.IGNORECASE)
OPTIMISER = re.compile(
    r"((optimi[sz]ers?|optims?|opt|(lr_?)?schedulers?|(grad_?)?scaler|amp|callbacks|loops)(_?states?)?(_?dicts?)?)"
    r"|exp_avg(_sq)?|momentum_buffer|param_groups",
    re.IGNORECASE,
)
INPUT_NAMES = re.compile(r"emb|encoder|wte|lookup|input|i2h|char2vec", re.IGNORECASE)
HEAD_NAMES = re.compile(r"head|fc|out|decoder|linear|proj|dense|h2o|logit|pred|dec\b|classif|lin", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Lazy:
    """An array that is read when it is wanted: its shape, and what reads it. Raises ConvertError when it can't be read."""

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray] = field(repr=False)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(eq=False)
class Contents:
    """What a file of torch's holds: arrays by dotted name in its order, modules' classes, other values, what was left out,
    and the names of arrays of kinds that can't be read.
    """

    arrays: dict[str, Lazy] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Stack:
    """The arrays of one recurrent module: layer -> "weight_ih" -> array."""

    prefix: str
    layers: dict[int, dict[str, Lazy]] = field(default_factory=dict)
    reverse: bool = False

    @property
    def title(self) -> str:
        return self.prefix.rstrip("._") or tr("the top")


def draft(source: str, contents: Contents) -> Draft:
    """The model among a file's arrays.

    source: the format, for the card. Raises ConvertError, one sentence, when there is no recurrent layer, when several could
    be meant, and for what is not supported. Source: torch.nn; rows i, f, g, o (LSTM), r, z, n (GRU).
    """
    if any(len(name) > LONGEST_NAME for name in contents.arrays):
        raise ConvertError(
            tr("an array has a name of more than {longest_name} characters: the file is damaged", longest_name=LONGEST_NAME)
        )
    ignored = list(dict.fromkeys(contents.ignored))
    unreadable = [n for n in contents.unreadable if not any(OPTIMISER.fullmatch(part) for part in n.split("."))]
    if unreadable:
        raise ConvertError(
            tr(
                "“{unreadable}” is quantised, sparse, complex, of 8-bit floats or without numbers ({counted}): save"
                " the weights as float32",
                unreadable=unreadable[0][-60:],
                counted=tr_n("{n:,} such array", "{n:,} such arrays", len(unreadable)),
            )
        )
    arrays = _without_optimiser(contents.arrays, ignored)
    arrays = _unnormed(arrays)
    stacks, others = _stacks(arrays)
    stack, others = _chosen(stacks, others, ignored)
    cell_name, units, inputs = _measured(stack, contents)
    others = _weights_alone(others, contents, ignored)
    others = _unpadded(others, inputs, units, contents, ignored)
    table, head = _embedding_and_head(others, inputs, units, contents)
    bias = head.removesuffix("weight") + "bias" if head.endswith("weight") else ""
    wanted = _parameters(stack, others, table, head, bias, ignored)
    size = others[head].shape[0]
    vocabulary, remarks = vocabularies.in_facts(contents.facts, size)
    _dropout(contents, ignored)
    cell = find_cell(cell_name)
    layers = len(stack.layers)
    two = any("bias_ih" in part for part in stack.layers.values())
    detected = (
        (
            "cell",
            tr(
                "{cell.title}: {value}, by its shapes",
                cell=cell,
                value="nn." + {"lstm": "LSTM", "gru_pytorch": "GRU", "rnn": "RNN"}[cell_name],
            ),
        ),
        ("layers", tr("{layers} × {units} units, from {from_}", layers=layers, units=units, from_=_from(stack))),
        ("sizes", tr("{size} symbols, {values:,} weights", size=size, values=sum(w.size for w in wanted.values()))),
        (tr("gate order"), ORDERS[cell_name]),
        *(((tr("GRU form"), FORMS[cell_name]),) if cell_name in FORMS else ()),
        ("biases", tr("two a layer, b_ih and b_hh, which are added") if two else tr("none in the cells")),
        ("activations", ACTIVATIONS[cell_name]),
        (
            "input",
            tr("one-hot, {inputs} numbers", inputs=inputs)
            if table is None
            else tr("embedding “{table}”, {size} × {inputs}", table=table, size=size, inputs=inputs),
        ),
        (
            "head",
            tr(
                "linear, “{head}”, {size} × {units}, {value} a bias",
                head=head,
                size=size,
                units=units,
                value="with" if bias in others else "without",
            ),
        ),
    )
    parameters = {name: numbers(name, lazy.read()) for name, lazy in wanted.items()}
    width = None if table is None else inputs
    return Draft(source, cell, units, layers, parameters, width, size, vocabulary, detected, (*ignored, *remarks))


# Which arrays belong to the model


def _without_optimiser(arrays: Mapping[str, Lazy], ignored: list[str]) -> dict[str, Lazy]:
    kept = {n: a for n, a in arrays.items() if not any(OPTIMISER.fullmatch(part) for part in n.split("."))}
    if len(kept) < len(arrays):
        dropped = len(arrays) - len(kept)
        ignored.append(tr_n("the optimiser's state: {n:,} array", "the optimiser's state: {n:,} arrays", dropped))
    return kept


def _unnormed(arrays: Mapping[str, Lazy]) -> dict[str, Lazy]:
    """weight_norm undone: w = g v / |v|, under both of the names that torch has given to g and v."""
    folded: dict[str, Lazy] = {}
    for name, array in arrays.items():
        new = re.fullmatch(r"(.*?)parametrizations\.([^.]+)\.original([01])", name)
        old = re.fullmatch(r"(.*?)(weight[^.]*?)_([gv])", name)
        if new:
            whole, g, v = new[1] + new[2], f"{name[:-1]}0", f"{name[:-1]}1"
        elif old:
            whole, g, v = old[1] + old[2], f"{name[:-1]}g", f"{name[:-1]}v"
        else:
            folded.setdefault(name, array)
            continue
        if g in arrays and v in arrays:
            folded[whole] = Lazy(arrays[v].shape, lambda g=arrays[g], v=arrays[v]: _weight_norm(g, v))  # type: ignore[misc]
        elif not new:
            folded.setdefault(name, array)
        else:
            raise ConvertError(
                tr("“{whole}” is parametrised by something else than weight_norm, which is not supported", whole=whole)
            )
    return folded


def _weight_norm(g: Lazy, v: Lazy) -> np.ndarray:
    """g v / |v|, the norm over all axes that g does not have."""
    if max(v.size, g.size) > LARGEST_ARRAY:
        raise ConvertError(
            tr(
                "an array has {size:,} numbers; at most {largest_array:,} are read",
                size=max(v.size, g.size),
                largest_array=LARGEST_ARRAY,
            )
        )
    shape = (1,) * len(v.shape) if g.size == 1 else g.shape
    if len(shape) != len(v.shape) or any(n not in (1, m) for n, m in zip(shape, v.shape)):
        raise ConvertError(tr("weight_norm's g has shape {g.shape}, its v {v.shape}: they do not fit", g=g, v=v))
    scale, direction = g.read().astype(np.float64).reshape(shape), v.read().astype(np.float64)
    norm = np.sqrt((direction**2).sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True))
    return direction * np.divide(scale, norm, where=norm > 0, out=np.zeros(norm.shape))


def _stacks(arrays: Mapping[str, Lazy]) -> tuple[dict[str, _Stack], dict[str, Lazy]]:
    """The recurrent modules by the beginning of their names, and all other arrays."""
    stacks: dict[str, _Stack] = {}
    others: dict[str, Lazy] = {}
    for name, array in arrays.items():
        part = PART.search(name)
        if part is None or part.end() != len(name):
            others[name] = array
            continue
        prefix = name[: part.start()]
        stack = stacks.setdefault(prefix, _Stack(prefix))
        if part[2] == "hr":
            raise ConvertError(
                tr(
                    "“{stack.title}” is a projected LSTM (weight_hr), which is not supported: h must be as wide as C",
                    stack=stack,
                )
            )
        if part[4]:
            stack.reverse = True
        else:
            stack.layers.setdefault(int(part[3] or 0), {})[f"{part[1]}_{part[2]}"] = array
    for stack in stacks.values():
        if stack.reverse:
            raise ConvertError(
                tr(
                    "“{stack.title}” is bidirectional (its weights end in _reverse), which is not supported: a text"
                    " is read from its start to its end",
                    stack=stack,
                )
            )
    return stacks, others


def _chosen(stacks: dict[str, _Stack], others: dict[str, Lazy], ignored: list[str]) -> tuple[_Stack, dict[str, Lazy]]:
    """The one stack that is meant: the only one, the original of copies, or several that stand on one another."""
    if not stacks:
        raise ConvertError(_no_recurrent(others))
    if len(stacks) <= MOST_STACKS and not _numbered(stacks):
        stacks, others = _originals(stacks, others, ignored)
    if len(stacks) == 1:
        return next(iter(stacks.values())), others
    if _numbered(stacks):
        return _joined(stacks), others
    names = " and ".join(f"“{s.title}”" for s in list(stacks.values())[:3])
    raise ConvertError(
        tr("the file holds several recurrent modules, {names}: models of more than one are not supported", names=names)
    )


def _originals(
    stacks: dict[str, _Stack], others: dict[str, Lazy], ignored: list[str]
) -> tuple[dict[str, _Stack], dict[str, Lazy]]:
    """Without branches that hold the same names and shapes as another: averages first, else all but the first."""
    averages = [p for p in stacks if any(COPIES.fullmatch(word) for word in re.split(r"[._]", p))]
    for copy in [*averages, *(p for p in reversed(stacks) if p not in averages)]:
        for original in stacks:
            ending = _common_end(original, copy)
            if copy not in stacks or copy == original or not ending or _numbered([original, copy]):
                continue
            first, second = original.removesuffix(ending), copy.removesuffix(ending)
            inner = second if second.startswith(first) else None
            outer = first if first.startswith(second) else None
            if _contents(stacks, others, first, inner) == _contents(stacks, others, second, outer):
                ignored.append(tr("“{value}”, a second copy of the weights", value=second.rstrip(".") or "the top"))
                gone = [n for n in (*stacks, *others) if n.startswith(second) and not (outer and n.startswith(outer))]
                stacks = {p: s for p, s in stacks.items() if p not in gone}
                others = {n: a for n, a in others.items() if n not in gone}
                break
    return stacks, others


def _contents(
    stacks: Mapping[str, _Stack], others: Mapping[str, Lazy], branch: str, without: str | None = None
) -> set[tuple[str, Any]]:
    """Names and shapes of all that begins with `branch`, but not with `without`, as two copies share them."""
    arrays: list[tuple[str, Any]] = [(name, array.shape) for name, array in others.items()]
    for prefix, stack in stacks.items():
        arrays += [(f"{prefix}{part}_{k}", a.shape) for k, parts in stack.layers.items() for part, a in parts.items()]
    return {(n.removeprefix(branch), a) for n, a in arrays if n.startswith(branch) and not (without and n.startswith(without))}


def _common_end(a: str, b: str) -> str:
    """The dotted words in which two prefixes end alike."""
    words = 0
    first, second = a.split("."), b.split(".")
    while words < min(len(first), len(second)) and first[-1 - words] == second[-1 - words]:
        words += 1
    return ".".join(second[len(second) - words :])


def _numbered(prefixes: Iterable[str]) -> bool:
    """Whether the names differ in numbers alone: lstm1 and lstm2, cells.0 and cells.1, rnn and rnn2."""
    return len({re.sub(r"\d+", "", p) for p in prefixes}) == 1


def _joined(stacks: Mapping[str, _Stack]) -> _Stack:
    """Modules that are numbered, as one stack in the order of their numbers."""
    ordered = sorted(stacks.values(), key=lambda s: [int(n) for n in re.findall(r"\d{1,9}", s.prefix)])
    titles = [s.title for s in ordered]
    joined = _Stack(tr("{titles} to {titles_2}, one on another in this order", titles=titles[0], titles_2=titles[-1]))
    for stack in ordered:
        for layer in sorted(stack.layers):
            joined.layers[len(joined.layers)] = stack.layers[layer]
    return joined


def _no_recurrent(others: Mapping[str, Lazy]) -> str:
    if list(others) == [""]:
        return tr("the file holds a single array and no names: no weights of a model")
    if not others:
        return tr("the file holds no arrays at all: no weights of a model")
    words = " ".join(others).lower()
    names = ", ".join(f"“{name[-50:]}”" for name in list(others)[:3])
    kind = ""
    if re.search(r"attn|attention|transformer|query|\bwte\b", words):
        kind = tr(": it looks like a transformer, which is not supported")
    elif any(len(a.shape) in (3, 4, 5) for a in others.values()):
        kind = tr(": it looks convolutional, which is not supported")
    return tr(
        "no recurrent layer is in the file: none of its {others_count} arrays ({names}, ...) is named weight_hh{kind}",
        others_count=len(others),
        names=names,
        kind=kind,
    )


def _weights_alone(others: Mapping[str, Lazy], contents: Contents, ignored: list[str]) -> dict[str, Lazy]:
    """Arrays that a model needs beside its cells. Refuses those of layers that can't be read."""
    kept = {}
    for name, array in others.items():
        last = name.rpartition(".")[2].lower()
        if array.size <= 1 or last in ("num_batches_tracked",):
            ignored.append(
                tr("“{name}”, a single number", name=name[-60:])
                if array.size == 1
                else tr("“{name}”, which is empty", name=name[-60:])
            )
        elif re.fullmatch(r"(h|c)_?0|hidden(_state)?|init(ial)?_?(h|c|hidden|cell|state)?|state|(h|c|hx|cx)", last):
            ignored.append(tr("“{name}”, a first or last state: reading begins from zeros", name=name[-60:]))
        else:
            kept[name] = array
    for name, array in kept.items():
        module, _, last = name.rpartition(".")
        kind = contents.kinds.get(module, "")
        if re.search(r"att(entio)?n", name, re.IGNORECASE):
            raise ConvertError(tr("“{name}” belongs to attention, which is not supported", name=name[-60:]))
        if len(array.shape) >= 3 or kind.startswith("Conv"):
            raise ConvertError(
                tr(
                    "“{name}”, of shape {array.shape}, belongs to a convolution, which is not supported",
                    name=name[-60:],
                    array=array,
                )
            )
        if f"{module}.running_mean" in kept or kind.startswith("BatchNorm"):
            raise ConvertError(tr("“{module}” is a batch normalisation, which is not supported", module=module[-60:]))
        if kind == "LayerNorm" or (len(array.shape) == 1 and last in ("weight", "gamma")):
            raise ConvertError(tr("“{module}” is a layer normalisation, which is not supported", module=module[-60:]))
    return kept


# The cells


def _measured(stack: _Stack, contents: Contents) -> tuple[str, int, int]:
    """The cell's name, its units and its input size, from shapes that fit one another."""
    layers = sorted(stack.layers)
    if layers != list(range(len(layers))):
        raise ConvertError(tr("“{stack.title}” has layers {map}: one is missing", stack=stack, map=", ".join(map(str, layers))))
    first = stack.layers[0]
    for layer, parts in stack.layers.items():
        for part in ("weight_ih", "weight_hh"):
            if part not in parts or len(parts[part].shape) != 2:
                raise ConvertError(
                    tr("“{stack.title}” has no matrix {part} in layer {layer}", stack=stack, part=part, layer=layer)
                )
    rows, units = first["weight_hh"].shape
    if not units or rows % units or rows // units not in CELLS:
        raise ConvertError(
            tr(
                "“{stack.title}” has weight_hh of {rows} × {units}: an LSTM has 4, a GRU 3 and an RNN 1 times as many"
                " rows as columns",
                stack=stack,
                rows=rows,
                units=units,
            )
        )
    for layer, parts in stack.layers.items():
        below = first["weight_ih"].shape[1] if layer == 0 else units
        wanted = {"weight_ih": (rows, below), "weight_hh": (rows, units), "bias_ih": (rows,), "bias_hh": (rows,)}
        for part, array in parts.items():
            if array.shape == wanted[part]:
                continue
            if part == "weight_ih" and layer and array.shape == (rows, 2 * units):
                raise ConvertError(
                    tr(
                        "“{stack.title}” is bidirectional, by the width of layer {layer}: it is not supported",
                        stack=stack,
                        layer=layer,
                    )
                )
            if part == "weight_hh" or (part == "weight_ih" and layer):
                raise ConvertError(
                    tr(
                        "the layers of “{stack.title}” have different sizes ({part} of layer {layer} is {map}, not"
                        " {map_2}), which is not supported",
                        stack=stack,
                        part=part,
                        layer=layer,
                        map=" × ".join(map(str, array.shape)),
                        map_2=" × ".join(map(str, wanted[part])),
                    )
                )
            raise ConvertError(
                tr(
                    "{part} of layer {layer} of “{stack.title}” has shape {array.shape}, not {wanted}",
                    part=part,
                    layer=layer,
                    stack=stack,
                    array=array,
                    wanted=wanted[part],
                )
            )
    _check_options(contents)
    return CELLS[rows // units], units, first["weight_ih"].shape[1]


def _check_options(contents: Contents) -> None:
    """Options that a whole module or a configuration names, and that shapes do not tell."""
    for name, value in contents.facts.items():
        option = name.rpartition(".")[2]
        if option in ("nonlinearity", "mode") and isinstance(value, str) and "relu" in value.lower():
            raise ConvertError(tr("the RNN's activation is {value}; tanh alone is supported", value=value))
        if option == "bidirectional" and value is True:
            raise ConvertError(
                tr("the model is bidirectional, which is not supported: a text is read from its start to its end")
            )
        if option == "max_norm" and isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ConvertError(
                tr("the embedding has max_norm = {value:g}, which is not supported: it changes as it is read", value=value)
            )


def _from(stack: _Stack) -> str:
    return stack.prefix if ", " in stack.prefix else f"“{stack.title}”"


# The embedding and the head


def _embedding_and_head(others: Mapping[str, Lazy], inputs: int, units: int, contents: Contents) -> tuple[str | None, str]:
    """The names of the embedding (None for one-hot input) and of the head's weights."""
    matrices = {n: a.shape for n, a in others.items() if len(a.shape) == 2}
    kinds = {n: contents.kinds.get(n.rpartition(".")[0], "") for n in matrices}
    tables = [n for n, shape in matrices.items() if shape[1] == inputs and kinds[n] != "Linear"]
    heads = [n for n, shape in matrices.items() if shape[1] == units and kinds[n] != "Embedding"]
    fits = [
        (table, head)
        for table, head in product([*tables, None], heads)
        if (matrices[head][0] == inputs if table is None else table != head and matrices[table][0] == matrices[head][0])
    ]
    fits = fits or [(n, n) for n in tables if n in heads and len(matrices) == 1]  # one matrix, tied, is kept once
    if not fits:
        raise ConvertError(_no_fit(matrices, tables, heads, inputs, units))
    order = list(others)

    def doubts(fit: tuple[str | None, str]) -> tuple[int, int, int, int]:
        """How much speaks against a choice: arrays left over, biases amiss, names and places that say otherwise."""
        table, head = fit
        left = len(_left_over(others, table, head))
        biased = 0 if _bias_of(head) in others else 1
        biased += 1 if table is not None and _bias_of(table) in others else 0
        names = 0 if HEAD_NAMES.search(head.rpartition(".")[0]) else 1
        names += 0 if table is None or INPUT_NAMES.search(table) else 1
        places = 1 if table is not None and order.index(table) > order.index(head) else 0
        return left, biased, names, places

    best, *rest = sorted(fits, key=doubts)
    if rest and doubts(best) == doubts(rest[0]):
        raise ConvertError(
            tr(
                "“{best}” and “{rest}” could both be the head: the file does not tell which of them predicts",
                best=best[1],
                rest=rest[0][1],
            )
        )
    left = [n for n in _left_over(others, *best) if not any(_equal(others[n], others[m]) for m in best if m is not None)]
    if left:
        raise ConvertError(
            tr(
                "“{left}”, of shape {shape}, is none of embedding, cells and head: a layer more is not supported",
                left=left[0][-60:],
                shape=others[left[0]].shape,
            )
        )
    return best


def _unpadded(others: dict[str, Lazy], inputs: int, units: int, contents: Contents, ignored: list[str]) -> dict[str, Lazy]:
    """Without an embedding's one row more than the head predicts symbols: the first where it is all zeros, else the last."""
    shapes = {n: a.shape for n, a in others.items() if len(a.shape) == 2}
    heads = [n for n, shape in shapes.items() if shape[1] == units]
    tables = [
        n
        for n, shape in shapes.items()
        if shape[1] == inputs and _bias_of(n) not in others
        and (contents.kinds.get(n.rpartition(".")[0]) == "Embedding" or INPUT_NAMES.search(n))
    ]  # fmt: skip
    pairs = [(t, h) for t, h in product(tables, heads) if shapes[t][0] == shapes[h][0] + 1]
    fits = any(t != h and shapes[t][0] == shapes[h][0] for t, h in product(tables, heads))
    if fits or len(pairs) != 1 or any(shapes[h][0] == inputs for h in heads):
        return others
    ((table, _),) = pairs
    whole = numbers(table, others[table].read())
    first = not whole[0].any()
    kept = whole[1:] if first else whole[:-1]
    ignored.append(
        tr(
            "the {value} row of “{table}”{value_2}: the head predicts one symbol fewer than the embedding knows",
            value="first" if first else "last",
            table=table[-60:],
            value_2=", all zeros" if first else "",
        )
    )
    return others | {table: Lazy(kept.shape, lambda: kept)}


def _equal(one: Lazy, other: Lazy) -> bool:
    """Whether an array is another's copy, as where weights are shared and kept twice."""
    return one.shape == other.shape and one.size <= LARGEST_ARRAY and np.array_equal(one.read(), other.read())


def _bias_of(weight: str) -> str:
    return weight.removesuffix("weight") + "bias"


def _left_over(others: Iterable[str], table: str | None, head: str) -> list[str]:
    return [n for n in others if n not in (table, head, _bias_of(head))]


def _no_fit(
    matrices: Mapping[str, tuple[int, ...]], tables: Sequence[str], heads: Sequence[str], inputs: int, units: int
) -> str:
    if not heads:
        return tr(
            "the file has no head: none of its other matrices has {units} columns, one a unit, to predict from", units=units
        )
    head = heads[-1]
    symbols = matrices[head][0]
    deeper = [n for n, shape in matrices.items() if n != head and shape[1] == symbols]
    if deeper:
        return tr(
            "the head has several layers (“{head}”, “{deeper}”); a single linear layer alone is supported",
            head=head,
            deeper=deeper[0],
        )
    table = next((n for n in tables if n != head), None)
    if table is not None:
        return tr(
            "the head “{head}” predicts {symbols} symbols, but the embedding “{table}” knows {matrices}: it is no"
            " model that predicts the next of the characters it reads",
            head=head,
            symbols=symbols,
            table=table,
            matrices=matrices[table][0],
        )
    return tr(
        "the head “{head}” predicts {symbols} symbols, but the cells read {inputs} numbers, and no embedding is"
        " {symbols} × {inputs}: it is no model that predicts the next of the characters it reads",
        head=head,
        symbols=symbols,
        inputs=inputs,
    )


def _parameters(
    stack: _Stack, others: Mapping[str, Lazy], table: str | None, head: str, bias: str, ignored: list[str]
) -> dict[str, Lazy]:
    """The arrays under CharModel's own names. Where one bias of two, or of one layer, is missing, it is zero."""
    wanted = {} if table is None else {"embedding.weight": others[table]}
    biased = any(part.startswith("bias") for parts in stack.layers.values() for part in parts)
    for layer, parts in stack.layers.items():
        for part in ("weight_ih", "weight_hh"):
            wanted[f"rnn.{part}_l{layer}"] = parts[part]
        for part in ("bias_ih", "bias_hh") if biased else ():
            rows = parts["weight_hh"].shape[0]
            wanted[f"rnn.{part}_l{layer}"] = parts.get(part) or Lazy((rows,), lambda rows=rows: np.zeros(rows, np.float32))  # type: ignore[misc]
            if part not in parts:
                ignored.append(tr("layer {layer} has no {part}: it is taken as zero", layer=layer, part=part))
    wanted["head.weight"] = others[head]
    if bias in others:
        wanted["head.bias"] = others[bias]
    total = sum(array.size for array in wanted.values())
    if total > LARGEST_ARRAY:
        raise ConvertError(
            tr("the model has {total:,} weights; at most {largest_array:,} are read", total=total, largest_array=LARGEST_ARRAY)
        )
    return wanted


def _dropout(contents: Contents, ignored: list[str]) -> None:
    for name, value in contents.facts.items():
        if (
            name.rpartition(".")[2] in ("dropout", "drop_prob", "dropout_prob", "p")
            and isinstance(value, float)
            and 0 < value < 1
        ):
            ignored.append(tr("dropout ({value:g}), which only training uses", value=value))
            return


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """float32 of the same shape from the 16 bits of bfloat16: the upper half of a float32's."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
