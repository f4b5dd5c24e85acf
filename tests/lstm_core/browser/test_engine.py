"""The browser's engine against `trace`: every cell, every shipped model, and characters of every kind, run by node."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_core as lc
from lstm_core import model_file
from lstm_core.browser import engine
from lstm_core.browser.modules import linked
from lstm_core.cells import cell, cells
from lstm_core.clamp import Clamp
from lstm_core.formula import UNBOUNDED, Signal, affine, diagonal, h_prev, sigmoid, signal, tanh, x
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from lstm_core.trace import Trace
from lstm_core.tracing import trace
from tests.examples import examples
from tests.lstm_core.test_program import FAMILY, twice
from tests.lstm_core.test_stepping import made_up_cells, start_of

ROOT = Path(__file__).resolve().parents[3]
PASSAGES = {p["title"]: p["text"] for p in json.loads((ROOT / "assets" / "passages.json").read_text("utf-8"))}
EACH_STEP = 1e-5  # from the trace's own state before it: gates, h and probabilities as they are, C relative
WHOLE_TEXT = 1e-4  # two runs in float32 drift apart on the way

PROGRAMS = ROOT / "tests" / "cases" / "programs.json"  # what tests/js runs

VARIANTS = (
    cell("lstm").with_functions({"sigmoid": "hard_sigmoid_keras2"}),
    cell("lstm").with_functions({"sigmoid": "hard_sigmoid_keras3", "tanh": "linear"}),
    cell("gru_cho").with_functions({"tanh": "relu"}),
    cell("rnn").with_functions({"tanh": "linear"}),
)


def node() -> str:
    found = shutil.which("node")
    if found is None:
        assert not os.environ.get("CI"), "node is missing: .ci/run installs it"
        pytest.skip("node is not installed")
    return found


def answers_of(runner: str, folder: Path, asked: Any) -> Any:
    """What a script of tests/js prints for what it is asked; the files that it is told of stand in the folder."""
    (folder / "cases.json").write_text(json.dumps(asked), "utf-8")
    command = [node(), ROOT / "tests" / "js" / runner, folder]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def answers(folder: Path, cases: Sequence[Any] = (), texts: Sequence[Any] = ()) -> Any:
    return answers_of("engine_runner.js", folder, {"cases": list(cases), "texts": list(texts)})


class Cases:
    """Cases for the runner, with the files that they name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cases: list[dict[str, Any]] = []

    def file(self, name: str, content: bytes | np.ndarray) -> str:
        """Writes a file of the case that comes next, and returns its name."""
        path = self.folder / f"{len(self.cases)}-{name}.bin"
        path.write_bytes(content if isinstance(content, bytes) else np.ascontiguousarray(content, "<f4").tobytes())
        return path.name

    def add(self, model: CharModel, t: Trace) -> None:
        """What the engine is to find for a trace."""
        meta, weights = engine.payload(model)
        file = self.file
        self.cases.append(
            {
                "meta": meta,
                "weights": file("weights", weights),
                "text": t.text,
                "signals": {name: file(name, t[name]) for name in t.cell.names},
                "probs": file("probs", t.probs),
                "surprise": file("surprise", t.surprise),
                "initial": {name: file(f"initial-{name}", t.initial[name]) for name in t.cell.states},
                "initialProbs": None if t.initial.probs is None else file("initial-probs", t.initial.probs),
                "clamps": [asdict(clamp) for clamp in t.clamps],
                "chars": t.chars,
                "readAs": t.read_as,
                "ids": t.ids.tolist(),
            }
        )

    def check(self) -> None:
        """Holds the engine to the traces."""
        found = answers(self.folder, self.cases)["cases"]
        for case, differences in zip(self.cases, found, strict=True):
            what = f"{case['meta']['name']} {case['meta']['cell']}"
            assert max(differences["steps"].values()) < EACH_STEP, (what, differences)
            assert max(differences["whole"].values()) < WHOLE_TEXT, (what, differences)


@pytest.fixture
def cases(tmp_path: Path) -> Cases:
    return Cases(tmp_path)


def test_every_cell(make_model: Callable[..., CharModel], cases: Cases) -> None:
    """One layer and two, one-hot and embedded, with biases and without, from zeros and from a state, and held units."""
    text = "the clouds are in the sky"
    sizes = ((1, 1, None, True), (7, 2, None, False), (6, 2, 5, True), (9, 1, 3, True))
    for declared, (units, layers, embedding, bias) in product((*cells().values(), *VARIANTS, *FAMILY), sizes):
        model = make_model(declared, units, layers, 1.5, embedding=embedding, bias=bias, head_bias=bias)
        first = trace(model, text)
        cases.add(model, first)
        cases.add(model, trace(model, text[::-1], first.final))
        clamps = [
            Clamp(name, 0.5, min(k, 1) % layers, None if k % 2 else tuple(range(0, units, 2)), k, None if k % 3 else k + 5)
            for k, name in enumerate(declared.names)
        ]
        cases.add(model, trace(model, text, first.final, [*clamps, Clamp(declared.names[0], 0.25, 0, (0,), 3, 9)]))
    cases.check()


def bare() -> lc.Cell:
    """A cell whose signals are an affine map of x, one of h, a state and a weight, as they are."""
    signals = (
        Signal("valve", "v", "valve", affine("a", x), UNBOUNDED),
        Signal("gate", "g", "gate", sigmoid(affine("b", h_prev, x)), (0, 1)),
        Signal("lock", "l", "lock", affine("b", h_prev, x), UNBOUNDED),
        Signal("copy", "c", "copy", h_prev, (-1, 1)),
        Signal("scale", "s", "scale", diagonal("a"), UNBOUNDED),
        Signal("hidden", "h", "h", signal("gate") * tanh(signal("valve") + signal("scale") * signal("lock")), (-1, 1)),
    )
    return lc.Cell("bare", "bare", "nobody", ("a", "b"), signals)


@given(st.lists(made_up_cells(), min_size=8, max_size=8))
@settings(max_examples=examples(8))
def test_any_cell_that_can_be_declared(
    make_model: Callable[..., CharModel], tmp_path_factory: pytest.TempPathFactory, made_up: list[lc.Cell]
) -> None:
    cases = Cases(tmp_path_factory.mktemp("cells"))
    for units, declared in enumerate([*made_up, bare(), twice()], 1):
        model = make_model(declared, units, 2, vocabulary="aehst ")
        cases.add(model, trace(model, "the hats", start_of(model)))
        clamps = [Clamp(name, 0.5, k % 2, (0,) if k % 3 else None, k, k + 3) for k, name in enumerate(declared.names)]
        cases.add(model, trace(model, "the hats", start_of(model), clamps))
    cases.check()


def test_a_model_of_bytes(cases: Cases) -> None:
    torch.manual_seed(0)
    for vocabulary in (Vocabulary.of_bytes(), Vocabulary.of_bytes([*b"abc t\xc3\xa9"], unknown=99)):
        model = CharModel(vocabulary, "gru_pytorch", 8, 2, 6, name="bytes").eval()
        first = trace(model, "né “日” 👍")
        cases.add(model, first)
        cases.add(model, trace(model, "été\0", first.final))
    cases.check()


def test_every_shipped_model_over_a_thousand_characters_of_prose(cases: Cases) -> None:
    for shipped in lc.models():
        model = lc.load(shipped.name)
        passage = PASSAGES["Shakespeare" if "shakespeare" in shipped.name else "War and Peace"]
        cases.add(model, trace(model, passage[:1000]))
    cases.check()


def test_characters_are_encoded_as_in_python(tmp_path: Path) -> None:
    """Every character up to U+FFFF, bold letters, emoji, half surrogate pairs; but for those that Python does not know."""
    points = [*range(1, 0xD800), *range(0xE000, 0x10000), *range(0x1D400, 0x1D800), *range(0x1F400, 0x1F500)]
    everything = "".join(chr(point) for point in points if unicodedata.category(chr(point)) != "Cn")
    few = ["né “日” 👍…", "e\u0301", "\r\n\t\0", "a\udc80\udcff b\ud83d"]
    known = [
        Vocabulary(" abcdefghijklmnopqrstuvwxyz.,'\"-"),
        Vocabulary("ABCXYZ"),
        Vocabulary("\naé1/2日👍s", "日"),
        Vocabulary.of_bytes(),
        Vocabulary.of_bytes([*b"se/ '\xef\xbf\xbd"], unknown=0xBF),
    ]
    pairs = [(vocabulary, text) for vocabulary in known for text in few]
    for k, vocabulary in enumerate(known):  # all in one, and a quarter in each of the others
        share = everything[k - 1 :: 4] if k else everything
        pairs += [(vocabulary, share[start : start + 5000]) for start in range(0, len(share), 5000)]
    found = answers(tmp_path, texts=[{"vocabulary": engine.vocabulary(v), "text": text} for v, text in pairs])["texts"]
    for (vocabulary, text), there in zip(pairs, found, strict=True):
        wanted = vocabulary.encode(text)
        assert there == {"chars": list(wanted.chars), "readAs": list(wanted.read_as), "ids": wanted.ids.tolist()}


def test_the_engine_goes_into_a_page_that_opens_from_a_disk(make_model: Callable[..., CharModel], tmp_path: Path) -> None:
    """As one script, without the eval that the page's content policy refuses."""
    shutil.copytree(ROOT / "assets" / "shared", tmp_path / "shared")
    model = make_model("lstm", 5)
    meta, weights = engine.payload(model)
    (tmp_path / "main.js").write_text(
        'import { Model } from "./shared/engine/model.js";\nimport { Reading } from "./shared/engine/reading.js";\n'
        f"const bytes = Uint8Array.from({list(weights)});\nconst reading = new Reading(new Model({json.dumps(meta)}, bytes));\n"
        'reading.write("the hat");\nreading.read();\nconsole.log(JSON.stringify([...reading.at(0, "hidden", 6)]));\n'
    )
    script = linked(tmp_path / "main.js", tmp_path)
    assert not re.search(r"\beval\b|\bFunction\s*\(|\bdocument\b|\bwindow\b", script)
    (tmp_path / "one.cjs").write_text(script)
    ran = subprocess.run([node(), tmp_path / "one.cjs"], capture_output=True, encoding="utf-8", check=True)
    np.testing.assert_allclose(json.loads(ran.stdout), trace(model, "the hat")["hidden"][0, 6], rtol=0, atol=1e-6)


# What is sent


def test_the_programs_that_javascripts_tests_run_are_the_cells() -> None:
    wanted = {name: c.program.as_json() for name, c in cells().items()}
    assert json.loads(PROGRAMS.read_text("utf-8")) == wanted, f"write {wanted} to {PROGRAMS.relative_to(ROOT)}"


def test_the_same_model_gives_the_same_bytes_and_another_another_version(make_model: Callable[..., CharModel]) -> None:
    model, same, other = make_model("gru", 5), make_model("gru", 5), make_model("gru", 5, seed=1)
    assert engine.payload(model) == engine.payload(same)
    meta, _ = engine.payload(other)
    assert meta["version"] != engine.payload(model)[0]["version"]
    assert {**meta, "version": ""} == {**engine.payload(model)[0], "version": ""}
    model.name = "renamed"
    assert engine.payload(model)[0]["version"] != engine.payload(same)[0]["version"]
    assert json.loads(json.dumps(meta, allow_nan=False)) == meta


@pytest.mark.parametrize("name", [shipped.name for shipped in lc.models()])
def test_a_shipped_models_file_gives_what_the_model_gives(name: str) -> None:
    assert engine.payload(model_file.read(name)) == engine.payload(lc.load(name))


@pytest.mark.parametrize("cell", [*cells().values(), *VARIANTS, *FAMILY], ids=lambda c: c.title)
def test_any_models_file_gives_what_the_model_gives(
    make_model: Callable[..., CharModel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cell: lc.Cell
) -> None:
    known = {c.name: c for c in (*cells().values(), *FAMILY)}
    monkeypatch.setattr("lstm_core.model_file.find_cell", known.__getitem__)
    path = tmp_path / "model.safetensors"
    for embedding, bias in ((None, True), (3, False), (5, True)):
        model = make_model(cell, 4, 2, embedding=embedding, bias=bias, head_bias=bias)
        lc.save(model, path)
        assert engine.payload(model_file.read(path)) == engine.payload(model)


def test_a_file_goes_to_the_browser_without_torch() -> None:
    code = """
import sys
from lstm_core import model_file
from lstm_core.browser import engine
for info in model_file.models():
    meta, weights = engine.payload(model_file.read(info.name))
    assert meta["bytes"] == len(weights) > 100_000
print("torch" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert ran.stdout == "False\n", ran.stderr


@pytest.mark.parametrize("name", cells())
def test_all_weights_are_sent_once_and_nothing_else(make_model: Callable[..., CharModel], name: str) -> None:
    model = make_model(name, 5, 2, embedding=3)
    meta, weights = engine.payload(model)
    parameters = dict(model.named_parameters())
    wanted = {n.removeprefix("rnn."): p for n, p in parameters.items()}
    assert set(meta["weights"]) == set(wanted)
    assert meta["bytes"] == len(weights) == 4 * sum(p.numel() for p in wanted.values())
    for n, place in meta["weights"].items():
        sent = np.frombuffer(weights, "<f4", wanted[n].numel(), place["offset"]).reshape(place["shape"])
        np.testing.assert_array_equal(sent, wanted[n].detach().numpy())
