import json
import math

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core import diagram
from lstm_core.browser.equations import tree
from lstm_core.browser.inside import payload
from lstm_core.formula import FUNCTIONS, SOURCES, Affine, Apply, Cell, Signal, affine, h_prev, sigmoid, signal, tanh, x
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from pages.common import components
from pages.common.inside import view as inside_view
from pages.common.inside.view import DISPLAYS, OPTIONS
from pages.common.links import accepted
from tests.pages import conftest

TEXT = "It was in July, 1805.\n"
every_cell = pytest.mark.parametrize("cell", lc.cells())


def tiny(cell: str | Cell = "lstm", units: int = 12, layers: int = 2, scale: float = 3.0, **more) -> CharModel:
    torch.manual_seed(0)
    model = CharModel(Vocabulary.of(TEXT), cell, units, layers, name="tiny", **more)
    with torch.no_grad():
        for parameter in model.rnn.parameters():
            parameter *= scale
    return model


def column(packed: dict, table: str, name: str | None = None) -> np.ndarray:
    return packed[table][name or table].to_numpy()


class Reader:
    """Evaluates the trees of a payload as the browser does: from what was sent, and nothing else."""

    def __init__(self, packed: dict, step: int) -> None:
        self.packed, self.meta, self.step = packed, packed["meta"], step

    def held(self, name: str, previous: bool) -> np.ndarray:
        meta, units = self.meta, self.meta["units"]
        if name == "x":
            if meta["input"] == "one-hot":
                return np.eye(meta["inputs"])[column(self.packed, "ids")[self.step]]
            table = column(self.packed, {"hidden": "below", "embedding": "embedding"}[meta["input"]]).reshape(
                -1, meta["inputs"]
            )
            return table[self.step - meta["start"] if meta["input"] == "hidden" else column(self.packed, "ids")[self.step]]
        at = self.step - previous - meta["start"]
        return column(self.packed, "before", name) if at < 0 else column(self.packed, "values", name).reshape(-1, units)[at]

    def block(self, source: str, rows: str, columns: int) -> np.ndarray:
        first = self.meta["rows"][source].index(rows) * self.meta["units"]
        return column(self.packed, f"weight_{source}").reshape(-1, columns)[first : first + self.meta["units"]].astype(float)

    def value(self, node: dict) -> np.ndarray:
        match node["kind"]:
            case "vector":
                return self.held(node["name"], node["previous"]).astype(float)
            case "diagonal":
                return self.block("peephole", node["rows"], 1)[:, 0]
            case "affine":
                total = np.zeros(self.meta["units"])
                for source, read in zip(node["sources"], map(self.value, node["inputs"])):
                    total += self.block(source, node["rows"], len(read)) @ read
                    if f"bias_{source}" in self.meta["biases"]:
                        first = self.meta["rows"][source].index(node["rows"]) * self.meta["units"]
                        total += column(self.packed, f"bias_{source}")[first : first + self.meta["units"]]
                return total
            case "apply":
                inner = self.value(node["argument"])
                return 1 / (1 + np.exp(-inner)) if node["function"] == "sigmoid" else np.tanh(inner)
            case "sum":
                return self.value(node["left"]) + self.value(node["right"])
            case "product":
                return self.value(node["left"]) * self.value(node["right"])
            case "complement":
                return 1 - self.value(node["argument"])
        raise AssertionError(node["kind"])


@every_cell
@pytest.mark.parametrize("embedding", [None, 5])
def test_what_is_sent_gives_what_is_shown(cell: str, embedding: int | None) -> None:
    model = tiny(cell, embedding=embedding)
    trace = lc.trace(model, TEXT)
    for layer in (0, 1):
        packed = payload(trace, model, layer, 0)
        for step in (0, 7):
            reader = Reader(packed, step)
            for described in packed["meta"]["signals"]:
                shown = trace[described["name"]][layer, step]
                assert np.abs(reader.value(described["tree"]) - shown).max() < 1e-5, described["name"]
                assert np.array_equal(reader.held(described["name"], False), shown)


@every_cell
def test_every_value_of_the_drawing_is_sent_with_a_scale(cell: str) -> None:
    model = tiny(cell)
    meta = payload(lc.trace(model, TEXT), model, 1, 0)["meta"]
    named = meta["svg"].split('data-value="')[1:]
    for value in {part.split('"')[0] for part in named}:
        drawn = meta["drawn"][value]
        assert drawn["tree"]["spelling"] == value
        if drawn["tree"]["kind"] == "concatenation":
            assert all(read["spelling"] in meta["drawn"] for read in drawn["tree"]["inputs"])
        else:
            assert drawn["high"] > drawn["low"] and drawn["scale"] in ("gate", "diverging")


def test_what_is_added_to_a_state_shares_its_colours() -> None:
    model = tiny("lstm")
    drawn = payload(lc.trace(model, TEXT), model, 0, 0)["meta"]["drawn"]
    cell = drawn["cell"]
    for term in ("forget * cell@-1", "input * candidate", "cell@-1"):
        assert {n: drawn[term][n] for n in ("scale", "low", "high", "state")} == {
            n: cell[n] for n in ("scale", "low", "high", "state")
        }
    assert drawn["tanh(cell)"]["high"] == 1 and drawn["forget"]["scale"] == "gate"


def test_ranges_follow_from_the_equations() -> None:
    model = tiny("gru_pytorch")
    drawn = payload(lc.trace(model, TEXT), model, 0, 0)["meta"]["drawn"]
    assert drawn["1 - update"]["scale"] == "gate"
    assert drawn["(1 - update) * candidate"]["high"] == 1
    assert drawn["W_hn[hidden@-1]"]["high"] > 1, "an affine map has no bounds: its limit is from the data"


def test_limits_of_an_unbounded_line_hold_its_values() -> None:
    model = tiny("peephole", layers=1)
    trace = lc.trace(model, TEXT)
    drawn = payload(trace, model, 0, 0)["meta"]["drawn"]["p_o * cell"]
    weight = model.rnn.blocks(0)["peephole"]["o"][0].detach().numpy()
    assert drawn["most"] == pytest.approx(np.abs(weight * trace["cell"][0]).max(), rel=1e-5)


def test_a_long_text_is_sent_in_windows() -> None:
    model = tiny(layers=1)
    trace = lc.trace(model, TEXT * 120)
    packed = payload(trace, model, 0, 900)
    units = trace.units
    assert packed["meta"]["start"] == 900 and packed["meta"]["columns"] == 1000
    assert np.array_equal(column(packed, "values", "cell").reshape(-1, units), trace["cell"][0, 900:1900])
    assert np.array_equal(column(packed, "before", "cell"), trace["cell"][0, 899])
    assert len(column(packed, "ids")) == len(column(packed, "steps", "surprise")) == trace.steps


def test_the_payload_is_packed_once() -> None:
    model = tiny()
    trace = lc.trace(model, TEXT)
    assert payload(trace, model, 1, 0) is payload(trace, model, 1, 0)
    assert payload(trace, model, 0, 0)["meta"]["layer"] == 0


def test_meta_is_json() -> None:
    for cell in lc.cells():
        model = tiny(cell)
        json.dumps(payload(lc.trace(model, TEXT), model, 0, 0)["meta"], allow_nan=False)


def test_a_variants_functions_travel_with_it() -> None:
    model = tiny("lstm", functions={"sigmoid": "hard_sigmoid_keras2"})
    functions = payload(lc.trace(model, TEXT), model, 0, 0)["meta"]["functions"]
    assert functions["hard_sigmoid_keras2"] == {"label": "hard σ", "range": [0, 1], "line": (0.2, 0.5)}


def scripts() -> str:
    """All modules of the view and of the equations that it writes."""
    folders = [components.ASSETS / "inside", components.ASSETS / "shared" / "equations"]
    return "\n".join(path.read_text("utf-8") for folder in folders for path in sorted(folder.glob("*.js")))


def test_the_browser_knows_every_curve() -> None:
    script = scripts()
    curves = script.split("CURVES = {")[1].split("};")[0]
    for name, function in FUNCTIONS.items():
        assert function.line is not None or f"{name}:" in curves, name


def test_no_cell_is_known_by_its_name() -> None:
    script = scripts()
    for name in {*lc.cells(), "forget", "candidate", "update", "reset"} - set(SOURCES):
        assert f'"{name}"' not in script and f"'{name}'" not in script, name


def test_a_new_cell_needs_a_declaration_and_a_picture_alone(tmp_path, monkeypatch) -> None:
    u = signal("update")
    mixed = tanh(affine("c", h_prev, x)) * u + h_prev * (1 - u)
    update = Signal("update", "u", "update gate", sigmoid(affine("u", h_prev, x)), (0, 1))
    new = Cell(
        "mixing", "mixing cell", "of this test", ("u", "c"), (update, Signal("hidden", "h", "hidden state", mixed, (-1, 1)))
    )
    (tmp_path / "mixing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" />')
    monkeypatch.setattr(diagram.load, "__defaults__", (tmp_path,))
    model = tiny(new, layers=1)
    trace = lc.trace(model, TEXT)
    packed = payload(trace, model, 0, 0)
    assert np.abs(Reader(packed, 5).value(packed["meta"]["signals"][1]["tree"]) - trace["hidden"][0, 5]).max() < 1e-5


@every_cell
def test_a_tree_is_the_expression(cell: str) -> None:
    def count(node: dict, kind: str) -> int:
        children = node.get("inputs") or [node[n] for n in ("argument", "left", "right") if n in node]
        return (node["kind"] == kind) + sum(count(child, kind) for child in children)

    for s in lc.cell(cell).signals:
        for kind, of in (("affine", Affine), ("apply", Apply)):
            assert count(tree(s.equation), kind) == sum(isinstance(node, of) for node in s.equation.walk())


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(TypeError, match="not an expression"):
        tree("forget")  # type: ignore[arg-type]


def test_a_look_from_a_link_is_checked() -> None:
    assert accepted(OPTIONS, {"reading": "unit", "walk": "3", "model": "x"}) == {"reading": "unit", "walk": "3"}
    assert accepted(OPTIONS, {"reading": "all"}) == {}, "as at first sight: not said"
    for wrong in (
        {"reading": "<b>"},
        {"walk": "0"},
        {"walk": "-1"},
        {"walk": "1" * 40},
        {"walk": "²"},
        {"copies": 3},
        {"path": None},
    ):
        assert accepted(OPTIONS, wrong) == {}
    for name, choices in DISPLAYS.items():
        for choice in choices[1:]:
            assert accepted(OPTIONS, {name: choice}) == {name: choice}


def test_the_browsers_looks_are_the_pages() -> None:
    script = scripts()
    declared = script.split("const FIRST_LOOK = {")[1].split("}")[0]
    for name, choices in DISPLAYS.items():
        assert f'{name}: "{choices[0]}"' in declared
        assert name == "state" or name == "path" or all(f'"{choice}"' in script for choice in choices)


def test_a_layer_that_is_not_there_is_named() -> None:
    model = tiny(layers=2)
    with pytest.raises(ValueError, match="layer to draw: 2; the trace has layers 0 to 1"):
        inside_view.inside_view(lc.trace(model, TEXT), model, 2, key="inside")


def test_a_trace_of_another_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="the trace is of LSTM, but tiny is a RNN"):
        inside_view.inside_view(lc.trace(tiny("lstm"), TEXT), tiny("rnn"), 0, key="inside")


def test_a_state_without_bounds_says_where_its_colours_end() -> None:
    model = tiny(scale=6)
    drawn = payload(lc.trace(model, TEXT), model, 0, 0)["meta"]["drawn"]["cell"]
    assert math.isfinite(drawn["high"]) and drawn["low"] == -drawn["high"] and drawn["state"] == "cell"


def run(**query: str) -> AppTest:
    return conftest.run("pages/inside.py", **query)


@pytest.mark.parametrize("info", lc.models(), ids=lambda info: info.name)
def test_every_shipped_model_opens(info: lc.ModelInfo) -> None:
    app = run(model=info.name, text="To be", character="4", unit="7", walk="2")
    assert any("Certified" in caption.value for caption in app.caption)
    assert {n: app.query_params[n] for n in ("character", "unit", "walk")} == {"character": "4", "unit": "7", "walk": "2"}


def test_a_look_that_is_not_there_is_left_out_of_the_address() -> None:
    app = run(model="family-rnn", text="To be", reading="everything", walk="x")
    assert "reading" not in app.query_params and "walk" not in app.query_params


def test_what_the_browser_says_of_the_look_goes_into_the_address() -> None:
    app = run(model="family-rnn", text="To be")
    conftest.report(app, "inside", step=2, unit=4)
    app.session_state["inside"] = {"look": {"reading": "unit", "serial": 0}}
    app.run()
    assert app.query_params["reading"] == "unit" and app.query_params["unit"] == "4"
    app.session_state["inside"] = {"look": {"reading": "<b>", "walk": [], "serial": 0}}
    app.run()
    assert not app.exception and "reading" not in app.query_params
