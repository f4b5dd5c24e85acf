"""The offline report: one file that asks for nothing, in which every number is the trace's and no word is interpreted."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import tomllib
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core import examples, report
from lstm_core.__main__ import main
from lstm_core.analysis.explain import explain
from lstm_core.browser import engine
from lstm_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp; $lead ${text} \0\ud800 é"


def made(cell: str | lc.Cell = "lstm", layers: int = 2, **more) -> lc.CharModel:
    torch.manual_seed(0)
    return lc.CharModel(lc.Vocabulary.of("helo, wrd"), cell, 5, layers, name="tiny", **more)


def data_of(page: str, name: str) -> dict:
    found = re.search(rf'<script type="application/json" id="data-{name}">([^<]*)</script>', page)
    assert found
    return json.loads(found[1])


def arrays(columns: list[dict]) -> dict[str, np.ndarray]:
    return {c["name"]: np.frombuffer(base64.b64decode(c["base64"]), c["kind"]) for c in columns}


@pytest.mark.parametrize("cell", tuple(lc.cells()))
def test_every_number_of_the_linked_view_and_the_drawing_is_the_traces(cell: str) -> None:
    model = made(cell)
    trace = lc.trace(model, "hello, world")
    page = report.build(model, trace, layer=1, step=4, unit=2)
    linked = data_of(page, "gates")
    for layer in range(2):
        sent = arrays(linked["tables"][f"values{layer}"])
        for name in trace.signals:
            low, high = trace.cell[name].range
            values = trace[name][layer].reshape(-1)
            if math.isfinite(high - low):
                shown = low + sent[name] / linked["meta"]["levels"] * (high - low)
                assert np.abs(shown - values).max() <= (high - low) / 65534
            else:
                assert np.array_equal(sent[name], values)
    drawn = data_of(page, "inside")
    sent = arrays(drawn["tables"]["values"])
    for name in trace.signals:
        assert np.array_equal(sent[name], trace[name][1].reshape(-1))
    assert drawn["view"]["pin"] == linked["view"]["pin"] == {"step": 4, "unit": 2, "layer": 1, "model": "tiny"}
    assert len(drawn["view"]["walk"]) > 0
    assert "Unit 2 of layer 2 at character 5 of 12" in page


def test_a_window_is_never_asked_for() -> None:
    model = made(layers=1)
    trace = lc.trace(model, "hello, world " * 120)  # more than the app sends at once
    for name in ("gates", "inside"):
        meta = data_of(report.build(model, trace), name)["meta"]
        assert (meta["start"], meta["columns"], meta["steps"]) == (0, 1560, 1560)


class Parts(HTMLParser):
    """The tags of a page, and the texts of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip():
            self.scripts.append(data)


def test_nothing_is_fetched_and_only_its_own_scripts_run() -> None:
    model = made()
    parts = Parts(report.build(model, lc.trace(model, NASTY)))
    assert not [tag for tag, attributes in parts.tags if {"src", "href", "onerror", "onclick"} & set(attributes)]
    policy = next(a["content"] for _, a in parts.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and "connect-src" not in rules and "unsafe" not in rules["script-src"]
    own = [s for s in parts.scripts if "draw(" in s]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in own]
    assert rules["script-src"].split() == hashes and len(own) == 1
    assert len([1 for tag, a in parts.tags if tag == "script" and a.get("type") != "application/json"]) == 1


def test_no_word_of_a_text_a_name_or_a_card_is_interpreted() -> None:
    plain, nasty = made(), made()
    nasty.name = "<b>$title</b>"
    nasty.card = {"corpus": NASTY, "<i>key</i>": ["</table>"], "history": [{"step": k} for k in range(500)]}
    plain.card = {"corpus": "x", "key": ["x"], "history": [{"step": k} for k in range(500)]}
    pages = [report.build(model, lc.trace(model, text)) for model, text in ((plain, "x" * len(NASTY)), (nasty, NASTY))]
    for page in pages:
        page.encode("utf-8")
    tags = [[tag for tag, _ in Parts(page).tags if tag not in ("math", "mrow", "mn", "mo")] for page in pages]
    assert tags[1].count("script") == tags[0].count("script") == 3
    assert not {"b", "i", "img"} & set(tags[1])
    shown = unescape(pages[1])
    assert "<title>&lt;b&gt;$title&lt;/b&gt; reads</title>" in pages[1] and "$lead ${text} ␀\ufffd é" in shown
    assert "500 entries, in the model’s file" in shown


def test_it_says_what_a_reader_must_know() -> None:
    model = made()
    model.card = {"held_out_loss": 1.25}
    trace = lc.trace(model, "hello, wőrld", clamps=[lc.Clamp("forget", 0.5, 1, [3])])
    said = unescape(report.build(model, trace))
    seal = lc.certify(model, trace)
    assert f"✓ Certified: max |h − h_ref| = {seal.h_error:.1e} against {seal.against}" in said
    assert f"<td>{trace.loss:.4f} nats a character</td>" in said
    assert trace.cell.note in said and f"Gatescope {lc.__version__}" in said
    assert "the forget gate of unit 3 of layer 2 at 0.5" in said and "<td>ő as " in said
    assert "<th>held out loss</th><td>1.25</td>" in said


def test_a_trace_that_is_wrong_is_said_to_be() -> None:
    model, other = made(layers=1), made(layers=1)
    with torch.no_grad():
        other.rnn.layer(0)["weight_hh"].mul_(1.004)
    assert "✗ NOT certified" in report.build(model, lc.trace(other, "hello, world"))


def test_the_equations_hold_the_explained_numbers() -> None:
    model = made()
    trace = lc.trace(model, "hello")
    page = re.sub(r"<[^>]*>", "", report.build(model, trace, 0, 3, 1).split("<h2>Unit 1")[1]).replace("−", "-")
    for line in explain(model, trace, 0, 3, 1).lines:
        assert f"={line.shown}" in page


@pytest.mark.parametrize("place", [{"layer": 2}, {"step": 5}, {"unit": 5}])
def test_what_is_not_there_is_refused(place: dict) -> None:
    model = made()
    with pytest.raises(ValueError, match=f"there is no {next(iter(place))} "):
        report.build(model, lc.trace(model, "hello"), **place)


def test_a_text_that_is_too_long_is_refused_and_the_sentence_says_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LARGEST", 20_000)
    model = made()
    most = report.longest(model)
    assert 20 < most < 200
    assert len(report.build(model, lc.trace(model, "h" * most))) > 0
    with pytest.raises(ValueError, match=rf"report of {most + 1} characters read by tiny .* about {most} fit"):
        report.build(model, lc.trace(model, "h" * (most + 1)))


def test_the_limit_counts_what_is_sent() -> None:
    model = lc.CharModel(lc.Vocabulary.of("helo, wrd"), "lstm", 64, 2)
    page = report.build(model, lc.trace(model, "hello, world " * 100), layer=1)
    numbers = sum(len(c["base64"]) for n in ("gates", "inside") for t in data_of(page, n)["tables"].values() for c in t)
    share = 1300 / report.longest(model)
    assert numbers == pytest.approx(share * report.LARGEST, rel=0.15)


# The page that reads by itself


def test_the_page_that_reads_holds_program_weights_and_the_traces_numbers() -> None:
    model, other = made(), made("gru", 1)
    page = report.build_live([model, other], "hello, world")
    sent = data_of(page, "live")
    assert sent["text"] == "hello, world" and [m["engine"]["name"] for m in sent["models"]] == ["tiny", "tiny"]
    for one, built in zip(sent["models"], (model, other)):
        meta, weights = engine.payload(built)
        assert one["engine"] == json.loads(json.dumps(meta)) and base64.b64decode(one["weights"]) == weights
        trace, judge = lc.trace(built, "hello, world"), arrays(one["judge"]["values"])
        assert one["judge"]["steps"] == list(range(12))
        for name in trace.signals:
            assert np.array_equal(judge[name], trace[name].reshape(-1))
        assert np.array_equal(judge["probs"], trace.probs.reshape(-1))
        assert [track["layer"] for track in one["picture"]["tracks"]] == list(range(built.layers))
    assert "✓ Certified" in page and "tiny, tiny read what you type" in page
    [alone] = data_of(report.build_live([model], "hello", layer=1), "live")["models"]
    assert [track["layer"] for track in alone["picture"]["tracks"]] == [1] and alone["pin"]["layer"] == 1


def test_the_page_that_reads_runs_its_own_script_alone_and_interprets_nothing() -> None:
    model = made()
    model.name, model.card = "<b>$title</b>", {"<i>key</i>": NASTY}
    page = report.build_live([model], NASTY)
    page.encode("utf-8")
    parts = Parts(page)
    assert not [tag for tag, attributes in parts.tags if {"src", "href", "onerror", "onclick"} & set(attributes)]
    assert not {"b", "i", "img"} & {tag for tag, _ in parts.tags}
    policy = next(a["content"] for _, a in parts.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "connect-src" not in policy
    [code] = [s for s in parts.scripts if "Filler" in s]
    assert f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" in policy
    assert len([1 for tag, a in parts.tags if tag == "script" and a.get("type") != "application/json"]) == 1
    assert not re.search(r"\beval\b|\bFunction\s*\(|\bfetch\s*\(|XMLHttpRequest|\bimport\b", code)


def test_a_model_of_two_layers_of_256_units_is_under_6_megabytes() -> None:
    model = lc.load("python-lstm")  # the largest vocabulary
    for text in ("the clouds are in the sky", "the clouds are in the sky " * 40):
        assert len(report.build_live([model], text).encode()) < 6_000_000


def test_what_the_page_that_reads_refuses() -> None:
    with pytest.raises(ValueError, match="at least one model"):
        report.build_live([], "hello")
    with pytest.raises(ValueError, match="there is no layer"):
        report.build_live([made(layers=2), made(layers=1)], "hello", layer=1)
    with pytest.raises(lc.TextError):
        report.build_live([made()], "")


def test_models_that_are_too_large_for_a_page_are_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    size = 4 * sum(p.numel() for p in model.parameters()) * 4 / 3
    monkeypatch.setattr(report, "LARGEST", size)
    report.check_live([model])
    with pytest.raises(InputError, match="a page with the weights of .* would take"):
        report.build_live([model, model], "hello")


def test_its_colours_are_the_apps() -> None:
    css = (ROOT / "assets" / "report" / "report.css").read_text("utf-8")
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    light, dark = css.split("@media")[:2]
    for part, colours in ((light, theme["light"]), (dark, theme["dark"])):
        for name, value in colours.items():
            spelled = re.sub("([A-Z])", lambda m: f"-{m[1].lower()}", name)
            assert f"--st-{spelled}: {value};" in part


def test_the_command_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    lc.save(made(), tmp_path / "tiny.safetensors")
    (tmp_path / "text.txt").write_text("hello, world")
    asked = ["--layer", "2", "--unit", "3", "--character", "7"]
    assert main(["report", "--model", "tiny.safetensors", "--text-file", "text.txt", *asked, "-o", "report.html"]) == 0
    assert re.match(r"report\.html: \d\.\d MB, opens in a browser from the disk\nloss: \d", capsys.readouterr().out)
    assert "Unit 3 of layer 2 at character 7 of 12" in (tmp_path / "report.html").read_text("utf-8")
    assert main(["report", "--model", "tiny.safetensors", "--text", "hello", "-o", "report.txt"]) == 2
    assert "--output must end in .html" in capsys.readouterr().err
    assert main(["report", "--model", "tiny.safetensors", "--text", "hello", "--unit", "5", "-o", "x.html"]) == 1
    assert "there is no unit 5" in capsys.readouterr().err and not (tmp_path / "x.html").exists()


def test_the_command_writes_a_page_that_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lc.save(made(), tmp_path / "tiny.safetensors")
    assert main(["report", "--live", "tiny.safetensors", "-o", "page.html"]) == 0
    assert re.fullmatch(r"page\.html: \d\.\d MB, opens in a browser from the disk\n", capsys.readouterr().out)
    assert data_of((tmp_path / "page.html").read_text("utf-8"), "live")["text"] == examples.text_for("tiny")
    asked = ["--live", "tiny.safetensors", "--live", "tiny.safetensors", "--text", "hello", "--layer", "2"]
    assert main(["report", *asked, "-o", "page.html"]) == 0
    sent = data_of((tmp_path / "page.html").read_text("utf-8"), "live")
    assert sent["text"] == "hello" and len(sent["models"]) == 2
    for wrong, sentence in (
        (["--live", "tiny.safetensors", "--unit", "1"], "--unit and --character go with --model"),
        (["--model", "tiny.safetensors"], "a report needs a text"),
    ):
        assert main(["report", *wrong, "-o", "x.html"]) == 2
        assert sentence in capsys.readouterr().err and not (tmp_path / "x.html").exists()
