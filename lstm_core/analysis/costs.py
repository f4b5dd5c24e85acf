"""What a model costs: equations, parameters, multiplications and milliseconds a character."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lstm_core.model import CharModel
from lstm_core.tracing import trace


@dataclass(frozen=True)
class Cost:
    """What a model is made of, and what one character costs it.

    equations: how many the cell's declaration has, one a signal. parameters: trained numbers, all of them. products:
    multiplications of matrices with vectors, in the layers and in the head. pointwise: multiplications unit by unit.
    """

    equations: int
    parameters: int
    products: int
    pointwise: int

    @property
    def multiplications(self) -> int:
        """All multiplications that one character takes."""
        return self.products + self.pointwise


def cost(model: CharModel) -> Cost:
    """Counts what the declaration of a model's cell, and the shapes of its weights, make of one character.

    A one-hot input, or a learnt embedding, is a row of a table that is looked up: no multiplication. Every other affine
    map of a layer costs units x inputs, each product of the equations (a gate, a peephole) one a unit and layer, the head
    units x vocabulary. Additions, sigma and tanh are not counted.
    """
    cell, program, units = model.cell, model.cell.program, model.units
    embedded = 0 if model.embedding is None else model.embedding.embedding_dim
    products = units * len(model.vocabulary)
    for layer in range(model.layers):
        widths = {"input": units if layer else embedded, "units": units}
        products += sum(units * widths[program.buffers[p.reads].size] for o in program.operations for p in o.parts)
    pointwise = sum(o.kind == "multiply" for o in program.operations) * units * model.layers
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Cost(len(cell.signals), parameters, products, pointwise)


def milliseconds(models: Sequence[CharModel], text: str, runs: int = 9) -> Iterator[list[float]]:
    """Measures how long models take to read one character with every gate kept, in rounds: each yields all so far.

    text: what is traced, as `trace` takes it. runs: rounds, 1 or more; in each, every model reads the text once, in turn,
    after a first reading that does not count. Yields after each round the medians until then, milliseconds a step, one a
    model. Raises what `trace` raises. This process is timed, so the result varies with the machine's load.
    """
    steps = [trace(model, text).steps for model in models]
    took: list[list[float]] = [[] for _ in models]
    for _ in range(runs):
        for k, model in enumerate(models):
            started = time.perf_counter()
            trace(model, text)
            took[k].append(1000 * (time.perf_counter() - started) / steps[k])
        yield [statistics.median(times) for times in took]
