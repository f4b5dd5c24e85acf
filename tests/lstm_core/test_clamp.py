"""Clamps: held to float64 written out here for two cells and to the declared equations for all; what they refuse and say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import lstm_core as lc
from lstm_core import stepping
from lstm_core.analysis.explain import explain
from lstm_core.clamp import described, held_steps, typed_units, units_as_typed, units_in_words

make = Callable[..., lc.CharModel]
TEXT = "the clouds are in the sky"
STATE = "i grew up in france "
every_cell = pytest.mark.parametrize("cell", lc.cells())
every_signal = pytest.mark.parametrize("cell, signal", [(c.name, s.name) for c in lc.cells().values() for s in c.signals])


def inside(model: lc.CharModel, signal: str) -> float:
    """A value that the signal may have, far from where it rests."""
    return 0.9 if model.cell[signal].range[1] == 1 else 2.5


# Two cells in float64, written out: rows i, f, g, o and r, z, n as torch stacks them


def sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def lstm(w: dict[str, np.ndarray], xs: np.ndarray, h: np.ndarray, c: np.ndarray, hold: Callable) -> dict[str, np.ndarray]:
    kept: dict[str, list] = {n: [] for n in ("input", "forget", "candidate", "output", "cell", "hidden")}
    for t, x in enumerate(xs):
        i, f, g, o = np.split(w["weight_ih"] @ x + w["bias_ih"] + w["weight_hh"] @ h + w["bias_hh"], 4)
        i, f = hold(t, "input", sigma(i)), hold(t, "forget", sigma(f))
        g, o = hold(t, "candidate", np.tanh(g)), hold(t, "output", sigma(o))
        c = hold(t, "cell", f * c + i * g)
        h = hold(t, "hidden", o * np.tanh(c))
        for name, value in zip(kept, (i, f, g, o, c, h)):
            kept[name].append(value)
    return {name: np.stack(values) for name, values in kept.items()}


def gru_pytorch(w: dict[str, np.ndarray], xs: np.ndarray, h: np.ndarray, _: None, hold: Callable) -> dict[str, np.ndarray]:
    kept: dict[str, list] = {n: [] for n in ("reset", "update", "candidate", "hidden")}
    for t, x in enumerate(xs):
        (r, z, n), (r_h, z_h, n_h) = (np.split(w[f"weight_{k}"] @ v + w[f"bias_{k}"], 3) for k, v in (("ih", x), ("hh", h)))
        r, z = hold(t, "reset", sigma(r + r_h)), hold(t, "update", sigma(z + z_h))
        n = hold(t, "candidate", np.tanh(n + r * n_h))
        h = hold(t, "hidden", (1 - z) * n + z * h)
        for name, value in zip(kept, (r, z, n, h)):
            kept[name].append(value)
    return {name: np.stack(values) for name, values in kept.items()}


WRITTEN_OUT = {"lstm": lstm, "gru_pytorch": gru_pytorch}


def holder(clamps: list[lc.Clamp], layer: int) -> Callable[[int, str, np.ndarray], np.ndarray]:
    def hold(step: int, name: str, values: np.ndarray) -> np.ndarray:
        for clamp in clamps:
            if clamp.layer == layer and clamp.signal == name and clamp.start <= step < (clamp.stop or 10**9):
                for unit in range(len(values)) if clamp.units is None else clamp.units:
                    values[unit] = clamp.value
        return values

    return hold


def rerun(
    model: lc.CharModel, text: str, clamps: list[lc.Clamp], state: lc.State | None = None
) -> tuple[list[dict], np.ndarray]:
    """Every signal of every layer, and the predictions, by the functions above."""
    double = {n: p.detach().double().numpy() for n, p in model.named_parameters()}
    xs, layers = np.eye(len(model.vocabulary))[model.vocabulary.ids(text)], []
    for layer in range(model.layers):
        w = {n.removeprefix("rnn.").removesuffix(f"_l{layer}"): p for n, p in double.items() if n.endswith(f"_l{layer}")}
        start = [np.zeros(model.units) if state is None else state[n][layer].astype(float) for n in model.cell.states]
        h, c = (*start, None)[:2]
        layers.append(WRITTEN_OUT[model.cell.name](w, xs, h, c, holder(clamps, layer)))
        xs = layers[-1]["hidden"]
    odds = np.exp(xs @ double["head.weight"].T + double["head.bias"])
    return layers, odds / odds.sum(1, keepdims=True)


@pytest.mark.parametrize("state", [None, STATE], ids=["from zeros", "from a state"])
@pytest.mark.parametrize(
    "many",
    [
        [("gate", 0.0, 0, None, 0, None)],
        [("gate", 1.0, 1, (3,), 7, None)],
        [("gate", 0.25, 0, (0, 5, 15), 4, 9), ("candidate", -0.5, 1, None, 6, 7), ("other", 0.5, 0, (5,), 2, None)],
        [("gate", 0.0, 0, None, 3, None), ("gate", 1.0, 0, (2, 4), 5, 20), ("hidden", 0.7, 1, (1,), 8, 12)],
    ],
    ids=["all units", "one unit", "three at once", "one over another, and a state"],
)
@pytest.mark.parametrize("cell", WRITTEN_OUT)
def test_everything_after_a_clamp_is_what_float64_makes_of_it(
    make_model: make, cell: str, many: list, state: str | None
) -> None:
    names = {"gate": "forget", "other": "output"} if cell == "lstm" else {"gate": "update", "other": "reset"}
    clamps = [lc.Clamp(names.get(name, name), *rest) for name, *rest in many]
    model = make_model(cell, 16, 2)
    start = None if state is None else lc.trace(model, state).final
    clamped = lc.trace(model, TEXT, start, clamps)
    layers, probs = rerun(model, TEXT, clamps, start)
    for layer, signals in enumerate(layers):
        for name, wanted in signals.items():
            np.testing.assert_allclose(clamped[name][layer], wanted, rtol=0, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(clamped.probs, probs, rtol=0, atol=1e-6)
    free = lc.trace(model, TEXT, start)
    assert np.abs(free.probs - clamped.probs).max() > 1e-4, "the clamps change something"
    wanted_loss = -np.log(probs[np.arange(len(TEXT) - 1), model.vocabulary.ids(TEXT)[1:]]).mean()
    if start is None:
        assert clamped.loss == pytest.approx(wanted_loss, abs=1e-5)


@pytest.mark.parametrize("units", [None, (0, 3)])
@every_signal
def test_every_signal_of_every_cell_can_be_held(
    make_model: make, cell: str, signal: str, units: tuple[int, ...] | None
) -> None:
    model = make_model(cell, 16, 2)
    clamp = lc.Clamp(signal, inside(model, signal), 1, units, 5, 12)
    free, clamped = lc.trace(model, TEXT), lc.trace(model, TEXT, clamps=[clamp])
    assert clamped.clamps == (clamp,) and free.clamps == ()
    chosen = slice(None) if units is None else list(units)
    assert (clamped[signal][1, 5:12, chosen] == np.float32(clamp.value)).all()
    parameters = {n: p.detach().numpy() for n, p in model.rnn.layer(1).items()}
    wanted = stepping.reference(
        model.cell.program, parameters, clamped["hidden"][0], {n: np.zeros(16) for n in model.cell.states},
        held_steps([clamp], 1, 16, len(TEXT)),
    )  # fmt: skip
    for name in model.cell.names:
        np.testing.assert_allclose(clamped[name][1], wanted[name], rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_array_equal(clamped[name][0], free[name][0], "the layer below does not feel it")
        np.testing.assert_allclose(clamped[name][1, :5], free[name][1, :5], rtol=1e-5, atol=1e-5)
    assert np.abs(clamped["hidden"][1, 5:12] - free["hidden"][1, 5:12]).max() > 1e-3
    assert lc.certify(model, clamped).holds


@every_cell
def test_a_clamp_below_reaches_the_layer_above(make_model: make, cell: str) -> None:
    model = make_model(cell, 16, 3)
    signal = model.cell.names[0]
    free, clamped = lc.trace(model, TEXT), lc.trace(model, TEXT, clamps=[lc.Clamp(signal, 0.9, 1, None, 10)])
    np.testing.assert_array_equal(clamped["hidden"][0], free["hidden"][0])
    assert np.abs(clamped["hidden"][2, 10:] - free["hidden"][2, 10:]).max() > 1e-3
    certificate = lc.certify(model, clamped)
    assert certificate.holds and certificate.against.endswith("with the same clamps")


def test_coupled_gates_go_together_unless_the_second_is_held(make_model: make) -> None:
    model = make_model("coupled", 8)
    both = lc.trace(model, TEXT, clamps=[lc.Clamp("forget", 0.25)])
    assert (both["input"] == 0.75).all()
    written = lc.trace(model, TEXT, clamps=[lc.Clamp("input", 0.25)])
    free = lc.trace(model, TEXT)
    np.testing.assert_array_equal(written["forget"][:, 0], free["forget"][:, 0])
    np.testing.assert_allclose(
        written["cell"][0], written["forget"][0] * written.before("cell")[0] + 0.25 * written["candidate"][0], atol=1e-6
    )


@every_signal
def test_a_clamp_at_the_value_that_is_there_anyway_changes_nothing(make_model: make, cell: str, signal: str) -> None:
    model = make_model(cell, 16, 2)
    free = lc.trace(model, TEXT)
    same = [lc.Clamp(signal, float(free[signal][1, step, 7]), 1, [7], step, step + 1) for step in range(len(TEXT))]
    clamped = lc.trace(model, TEXT, clamps=same)
    for name in free.signals:
        np.testing.assert_allclose(clamped[name], free[name], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(clamped.probs, free.probs, rtol=0, atol=1e-5)


def test_the_count_starts_anew_where_a_trace_goes_on(make_model: make) -> None:
    model = make_model("lstm", 16, 2)
    clamp = lc.Clamp("forget", 0.0, 1, [3], 15)
    whole = lc.trace(model, TEXT, clamps=[clamp])
    first = lc.trace(model, TEXT[:10])
    second = lc.trace(model, TEXT[10:], first.final, [replace(clamp, start=5)])
    third = lc.trace(model, " tonight", second.final)
    np.testing.assert_allclose(second["cell"], whole["cell"][:, 10:], rtol=1e-5, atol=1e-5)
    assert (second["forget"][1, 5:, 3] == 0).all() and third.clamps == ()
    assert (third["forget"][1, :, 3] > 0).all()


def test_a_model_in_double_and_an_embedding_are_clamped_too(make_model: make) -> None:
    model = make_model("peephole", 6, embedding=4, head_bias=False)
    clamps = [lc.Clamp("forget", 0.3, units=range(3), start=2)]
    single, double = lc.trace(model, TEXT, clamps=clamps), lc.trace(model.double(), TEXT, clamps=clamps)
    np.testing.assert_allclose(double["cell"], single["cell"], rtol=0, atol=1e-6)
    assert lc.certify(model, double).holds


# The certificate


@every_signal
def test_the_certificate_turns_red_where_the_clamp_was_not_heeded(make_model: make, cell: str, signal: str) -> None:
    model = make_model(cell, 16, 2)
    clamp = lc.Clamp(signal, inside(model, signal), 1, (3,), 5)
    clamped = lc.trace(model, TEXT, clamps=[clamp])
    assert not lc.certify(model, replace(clamped, clamps=())).holds
    assert not lc.certify(model, replace(lc.trace(model, TEXT), clamps=(clamp,))).holds
    assert not lc.certify(model, replace(clamped, clamps=(replace(clamp, units=(4,)),))).holds
    assert not lc.certify(model, replace(clamped, clamps=(replace(clamp, start=6),))).holds


def test_what_is_held_is_not_explained_by_its_equation(make_model: make) -> None:
    model = make_model("lstm", 16)
    clamped = lc.trace(model, TEXT, clamps=[lc.Clamp("forget", 1.0, 0, [3], 5)])
    with pytest.raises(ValueError, match="forget is held at 1 there, which its equation does not give"):
        explain(model, clamped, 0, 8, 3)
    assert explain(model, clamped, 0, 8, 4)["forget"].value == pytest.approx(clamped["forget"][0, 8, 4])


# What is refused


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"value": float("nan")}, "'forget' is held at a finite number, not at nan"),
        ({"units": ()}, "holds at least one unit; it was given none"),
        ({"units": (3, -1)}, "the unit of a clamp on 'forget' is counted from 0; -1 is below that"),
        ({"layer": -1}, "the layer of a clamp"),
        ({"start": -2}, "the start of a clamp on 'forget' is counted from 0; -2 is below that"),
        ({"start": 4, "stop": 4}, "must stop after its start, 4, and 4 is not"),
        ({"signal": "updat"}, "LSTM has no signal 'updat' to hold; it has cell, forget, input, candidate, output, hidden"),
        ({"value": 1.5}, "the forget gate runs from 0 to 1; it can't be held at 1.5"),
        ({"value": -0.5}, "the forget gate runs from 0 to 1; it can't be held at -0.5"),
        ({"layer": 2}, "names layer 2; there are layers 0 to 1"),
        ({"units": (16,)}, "names unit 16; there are units 0 to 15"),
        ({"start": 25}, "names step 25; there are steps 0 to 24"),
    ],
)
def test_a_clamp_that_cannot_be_is_refused(make_model: make, given: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        lc.trace(make_model("lstm", 16, 2), TEXT, clamps=[lc.Clamp(**{"signal": "forget", "value": 0.5} | given)])


def test_a_unit_is_a_whole_number() -> None:
    with pytest.raises(TypeError, match="float"):
        lc.Clamp("forget", 0, units=[1.5])


def test_an_unbounded_state_takes_any_number(make_model: make) -> None:
    t = lc.trace(make_model("lstm", 16), TEXT, clamps=[lc.Clamp("cell", -40.0)])
    assert (t["cell"] == -40).all()


def test_a_clamp_is_frozen_and_a_key(make_model: make) -> None:
    clamp = lc.Clamp("forget", 0, units=[9, 3, 3])
    assert clamp.units == (3, 9)
    assert hash(clamp) == hash(lc.Clamp("forget", 0.0, 0, (3, 9), 0, None))


# Words and numbers

SEVERAL = "the 20 units 0, 2, 4, 6, 8, … of layer 1 at 1 from character 3 to 9"


@pytest.mark.parametrize("units, typed", [((3,), "3"), ((3, 7, 8, 9), "3, 7-9"), ((0, 1), "0-1"), ((1, 3, 5), "1, 3, 5")])
def test_typed_units_are_read_as_they_are_written(units: tuple[int, ...], typed: str) -> None:
    assert units_as_typed(units) == typed
    assert typed_units(typed, 16) == units


@pytest.mark.parametrize(
    "typed, sentence",
    [
        ("", "“” is no number"),
        ("three", "“three” is no number and no range"),
        ("3, , 5", "“” is no number"),
        ("-3", "“-3” is no number"),
        ("1-2-3", "“1-2-3” is no number"),
        ("²", "“²” is no number"),
        ("9-7", "begins with the smaller number: “7-9”, not “9-7”"),
        ("3, 16", "there is no unit 16; there are units 0 to 15"),
        ("9" * 30, "is no number"),
    ],
)
def test_other_texts_are_no_units(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        typed_units(typed, 16)


@pytest.mark.parametrize("typed", ["7–9,3", " 3 , 7 - 9 ", "3;7-9", "3,7-8,8-9"])
def test_typed_units_may_be_spaced_and_doubled(typed: str) -> None:
    assert typed_units(typed, 16) == (3, 7, 8, 9)


@pytest.mark.parametrize(
    "clamp, words",
    [
        (lc.Clamp("forget", 0, 1, [17], 11), "the forget gate of unit 17 of layer 2 at 0 from character 12 on"),
        (lc.Clamp("hidden", -0.5), "the hidden state of all 40 units of layer 1 at −0.5 throughout"),
        (lc.Clamp("input", 1, 0, [3, 7, 8, 9], 2, 3), "the input gate of units 3, 7-9 of layer 1 at 1 at character 3 alone"),
        (lc.Clamp("input", 1, 0, range(0, 40, 2), 2, 9), "the input gate of " + SEVERAL),
    ],
)  # fmt: skip
def test_a_clamp_is_spoken_of_in_words(clamp: lc.Clamp, words: str) -> None:
    assert described(clamp, lc.cell("lstm"), 2, 40) == words


def test_one_layer_and_one_unit_need_no_number() -> None:
    assert described(lc.Clamp("hidden", 0.0), lc.cell("rnn"), 1, 1) == "the hidden state of the one unit at 0 throughout"
    assert units_in_words(tuple(range(40)), 40) == "all 40 units"


def test_steps_between_which_nothing_changes_share_their_arrays() -> None:
    values, masks = held_steps([lc.Clamp("forget", 0.5, 0, [1], 3, 5)], 0, 4, 9)["forget"]
    assert len(values) == len(masks) == 9
    assert len({id(mask) for mask in masks}) == 3
    assert [int(mask.sum()) for mask in masks] == [0, 0, 0, 1, 1, 0, 0, 0, 0]
