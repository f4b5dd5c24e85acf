"""One page that holds a whole reading: every gate under one cursor, the cell's drawing alive, equations, certificate, card.
And one that reads what is typed into it: the gates, and the model itself.

A page is one file that opens from a disk: nothing is fetched, no server is asked, and its policy forbids both.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import lstm_core
from lstm_core import numbering
from lstm_core.analysis.explain import Explanation, explain
from lstm_core.analysis.first_look import first_look
from lstm_core.browser import engine, gates, inside, live, modules
from lstm_core.browser.gates import Reader, Track
from lstm_core.browser.mathml import mathml
from lstm_core.browser.stored import column, columns
from lstm_core.clamp import described
from lstm_core.errors import InputError
from lstm_core.figures.lettering import glyph
from lstm_core.figures.paper import version
from lstm_core.places import ASSETS
from lstm_core.trace import Trace
from lstm_core.walk import walk
from lstm_core.words import tr

if TYPE_CHECKING:
    from lstm_core.certificate import Certificate
    from lstm_core.model import CharModel

LARGEST = 32_000_000  # bytes of all numbers in a page: more makes a browser slow
BASE64 = 4 / 3  # characters that a byte takes
LONGEST_FACT = 400  # characters of one entry of a model's card
JUDGED = 100_000  # numbers of a trace in a page that reads by itself: 0.5 MB beside a model of 2 x 256 units, which takes 4.9
PICTURES = ("shared/shared", "gates/gates", "inside/inside", "report/report")  # style sheets of a page with both pictures
NARROW = 32  # letters of LaTeX that a row of numbers may have beside its equation


def longest(model: CharModel, layers: int | None = None) -> int:
    """How many steps a report of this model can hold, 0 or more: its numbers take at most 32 MB.

    layers: how many the linked view shows (default: all).
    """
    cell = model.cell
    linked = sum(2 if math.isfinite(cell[n].range[1] - cell[n].range[0]) else 4 for n in cell.names) * (layers or model.layers)
    drawn = 4 * (len(cell.names) + 1)  # and h of the layer below
    weights = max(sum(p.numel() for p in model.rnn.layer(k).values()) for k in range(model.layers))
    tables = 4 * weights + (0 if model.embedding is None else 4 * model.embedding.weight.numel())
    return max(0, int((LARGEST / BASE64 - tables) / ((linked + drawn) * model.units + 64)))


def check(model: CharModel, trace: Trace) -> None:
    """Raises InputError, one sentence that says how much would fit, for a text whose report would be too large."""
    most = longest(model)
    if trace.steps > most:
        raise InputError(
            tr(
                "a report of {trace.steps:,} characters read by {model.name} would be too large for a browser; about"
                " {most:,} fit",
                trace=trace,
                model=model,
                most=most,
            )
        )


def check_live(models: Sequence[CharModel]) -> None:
    """Raises InputError, one sentence, for models whose weights would make a page that is too large for a browser."""
    size = sum(4 * p.numel() for model in models for p in model.parameters())
    if size * BASE64 > LARGEST:
        raise InputError(
            tr(
                "a page with the weights of {names} would take {size:.0f} MB, and at most {most:.0f} are of use to a browser",
                names=", ".join(model.name for model in models),
                size=size * BASE64 / 1e6,
                most=LARGEST / 1e6,
            )
        )


def build(model: CharModel, trace: Trace, layer: int = 0, step: int | None = None, unit: int | None = None) -> str:
    """A reading as one HTML page that needs no network and no server.

    layer: whose cell is drawn, and of which a unit is pinned; step, unit: the pin, all counted from 0 (default: where
    `analysis.first_look` would look first). Returns the page, to be saved as UTF-8, at most 34 MB. Every word of a text or a
    file in it is escaped. Raises InputError for a layer, step or unit that the trace lacks, for a trace that is not this
    model's, and, one sentence, for a text whose numbers would take more than 32 MB.
    """
    trace.check(layer)
    check(model, trace)
    first_step, first_unit = first_look(trace, layer)
    step, unit = first_step if step is None else step, first_unit if unit is None else unit
    explained, certificate = explain(model, trace, layer, step, unit), lstm_core.certify(model, trace)
    pin = {"step": step, "unit": unit, "layer": layer, "model": trace.model}
    data = [_data("gates", _gates(trace, pin)), _data("inside", _inside(model, trace, pin))]
    title = escape(tr("{trace.model} reads", trace=trace))
    body = Template(asset("report/page.html")).substitute(
        title=title,
        lead=_lead(trace),
        inside_title=escape(
            tr("The cell of layer {layer}, alive: {trace.cell.title}", layer=numbering.layer(layer), trace=trace)
        ),
        pin_title=escape(
            tr(
                "Unit {unit} of layer {layer} at character {character} of {trace.steps}, in numbers",
                unit=unit,
                layer=numbering.layer(layer),
                character=numbering.character(step),
                trace=trace,
            )
        ),
        numbers=_numbers(explained),
        preactivations=_preactivations(explained),
        certificate=escape(_certified(certificate, trace)),
        facts=_table(_facts(model, trace, certificate)),
        card=_table(_card(model)),
        text=escape(printable(trace.text)),
    )
    return document("report", title, body, PICTURES, data)


def build_live(models: Sequence[CharModel], text: str, layer: int | None = None, home: str = "") -> str:
    """A page that reads what is typed into it, without a network and a server: heatmaps, drawing, engine, weights in one file.

    models: one or more; a person chooses among several on the page. text: what stands in its field at first, 1 to 20,000
    characters. layer: the only one that is shown, counted from 0 (default: all). home: the address of a page that lists
    others, which is linked to. Returns the page, to be saved as UTF-8; a
    model of 2 x 256 units takes 5.8 MB. In it stands torch's trace of the text, at up to JUDGED numbers: the page compares
    what the browser computes with it, and says so. Raises InputError for no model, for a layer that one of them lacks,
    for weights of more than 24 MB, and TextError for a text that one of them can't read.
    """
    if not models:
        raise InputError(tr("a page that reads by itself needs at least one model"))
    check_live(models)
    traces = [lstm_core.trace(model, text) for model in models]
    sent = {"text": text, "models": [_live(model, trace, layer) for model, trace in zip(models, traces)]}
    title = escape(_live_title([model.name for model in models]))
    body = Template(asset("report/live.html")).substitute(
        title=title,
        about=escape(tr("What this shows, and how far it can be trusted")),
        lead=escape(
            tr(
                "A trained model reads the text above one character at a time, in this browser; nothing that is typed leaves"
                " this page. Each column is one character, each row one unit; read a column downwards and it is the cell’s"
                " equation. Point anywhere, use the arrow keys, click to pin. The order of units that move together is that of"
                " the first text."
            )
        ),
        models="".join(_live_words(model, trace) for model, trace in zip(models, traces)),
        home=f'<p><a href="{escape(home)}">{escape(tr("All models"))}</a></p>' if home else "",
    )
    return document("live", title, body, PICTURES, [_script("live", sent)])


def _live_title(names: Sequence[str]) -> str:
    if len(names) == 1:
        return tr("{name} reads what you type", name=names[0])
    return tr("{names} read what you type", names=", ".join(names))


def _live(model: CharModel, trace: Trace, layer: int | None) -> dict[str, Any]:
    meta, weights = engine.payload(model)
    steps, values = live.judge(trace, JUDGED)
    step, unit = first_look(trace, layer or 0)
    return {
        "engine": meta,
        "weights": base64.b64encode(weights).decode("ascii"),
        "picture": live.described(trace.model, trace, None if layer is None else [layer], trace),
        "drawings": _drawings(model, [layer] if layer is not None else range(model.layers)),
        "walk": [asdict(step) for step in walk(model.cell)],
        "judge": {"steps": steps, "values": [column(name, array) for name, array in values.items()]},
        "pin": {"step": step, "unit": unit, "layer": layer or 0, "model": trace.model},
    }


def _drawings(model: CharModel, layers: Sequence[int]) -> dict[str, Any]:
    """How the cell of each layer is drawn. The picture is the same in each, and the colours are those of the heatmaps."""
    described = [inside.described(model, layer) for layer in layers]
    pictures = {one.pop("svg") for one in described}
    for one in described:
        del one["colours"]
    return {"layers": described, "svg": pictures.pop()}


def _live_words(model: CharModel, trace: Trace) -> str:
    certificate = tr(
        "Torch’s trace of the first text. {certified}", certified=_certified(lstm_core.certify(model, trace), trace)
    )
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in (trace.cell.note, certificate))
    return f"<h2>{escape(printable(model.name))}</h2>{said}<table>{_table(_card(model))}</table>"


def document(kind: str, title: str, body: str, styles: Sequence[str], data: Sequence[str] = ()) -> str:
    """A whole page: its policy lets it run its own script, assets/report/KIND.js, and fetch nothing; without data, no script.

    title, body: escaped. styles: of assets, without their ending. data: what the script reads, as elements.
    """
    code = modules.linked(ASSETS / "report" / f"{kind}.js", ASSETS) if data else ""
    return Template(asset("report/document.html")).substitute(
        kind=f"{kind}-page",
        hash=f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" if code else "'none'",
        version=escape(version()),
        style="\n".join(asset(f"{name}.css") for name in styles),
        title=title,
        body=body,
        foot=escape(_foot()),
        scripts="\n".join([*data, f'<script type="module">{code}</script>']) if code else "",
    )


# The components and their numbers


def asset(name: str) -> str:
    """The text of a file under assets/."""
    return (ASSETS / name).read_text("utf-8")


def _gates(trace: Trace, pin: Mapping[str, Any]) -> dict[str, Any]:
    tracks = [Track(0, layer) for layer in range(trace.layers)]
    sent = gates.payload([Reader(trace.model, trace)], tracks, 0, whole=True)
    return sent | {"view": {"pin": pin, "serial": 1, "order": "index"}}


def _inside(model: CharModel, trace: Trace, pin: Mapping[str, Any]) -> dict[str, Any]:
    steps = [asdict(step) for step in walk(trace.cell)]
    view = {"pin": pin, "serial": 1, "look": {}, "lookSerial": 1, "walk": steps}
    return inside.payload(trace, model, pin["layer"], 0, whole=True) | {"view": view}


def _data(name: str, sent: Mapping[str, Any]) -> str:
    """A component's data as a script that no browser runs: JSON in which no "<" can end it."""
    tables = {key: columns(table) for key, table in sent.items() if isinstance(table, pa.Table)}
    return _script(name, {"meta": sent["meta"], "view": sent["view"], "tables": tables})


def _script(name: str, sent: Mapping[str, Any]) -> str:
    written = json.dumps(sent, separators=(",", ":"))
    return f'<script type="application/json" id="data-{name}">{written.replace("<", chr(92) + "u003c")}</script>'


# The words


def _lead(trace: Trace) -> str:
    lines = [
        tr(
            "A trained {trace.cell.title} read the text one character at a time. Each column is one character, each"
            " row one of its {trace.units} units; read a column downwards and it is the cell’s equation. Point"
            " anywhere, use the arrow keys, click to pin.",
            trace=trace,
        ),
        trace.cell.note,
    ]
    return escape(" ".join(lines))


def _numbers(explained: Explanation) -> str:
    """The equations of the pinned unit, each above its numbers."""
    shown = []
    for line in explained.lines:
        before, _, result = line.numbers.rpartition(" = ")
        rows = [f"{before}", f"= {result}"] if len(before) > NARROW else [line.numbers]
        shown.append(mathml(line.equation, *rows))
    return "".join(shown)


def _preactivations(explained: Explanation) -> str:
    squashed = [(line.symbol, line.preactivation) for line in explained.lines if line.preactivation is not None]
    return "".join(
        mathml(tr("{symbol}_{{t}} : \\quad {split.latex}", symbol=symbol, split=split)) for symbol, split in squashed
    )


def _certified(certificate: Certificate, trace: Trace) -> str:
    distance = tr(
        "max |h − h_ref| = {certificate.h_error:.1e} against {certificate.against}; each step within"
        " {certificate.step_error:.1e} of it, every signal within {certificate.signal_error:.1e} of its equation",
        certificate=certificate,
    )
    if trace.steps > 1:
        distance += tr(
            "; loss {certificate.loss_shown:.6f} from the shown gates, {certificate.loss_reference:.6f} from the reference",
            certificate=certificate,
        )
    verdict = "✓ Certified" if certificate.holds else tr("✗ NOT certified, do not trust these pictures")
    return tr(
        "{verdict}: {distance}. This was computed when the report was written; the page itself computes the drawing's lines.",
        verdict=verdict,
        distance=distance,
    )


def _facts(model: CharModel, trace: Trace, certificate: Certificate) -> Iterator[tuple[str, str]]:
    unit = trace.vocabulary.reads.removesuffix("s")
    yield (
        tr("loss on this text"),
        tr("one character: nothing to predict")
        if math.isnan(trace.loss)
        else tr("{trace.loss:.4f} nats a {unit}", trace=trace, unit=unit),
    )
    yield "steps", f"{trace.steps:,}"
    yield tr("layers × units"), f"{trace.layers} × {trace.units}"
    yield "cell", f"{trace.cell.title} ({trace.cell.source})"
    if trace.cell.note:
        yield "convention", trace.cell.note
    replaced = sorted({(a, b) for a, b in zip(trace.chars, trace.read_as) if a != b})
    if replaced:
        pairs = ", ".join(tr("{glyph} as {glyph_2}", glyph=glyph(a)[0], glyph_2=glyph(b)[0]) for a, b in replaced[:12])
        yield (
            tr("read in another's place"),
            pairs + (tr(" and {replaced_count} more", replaced_count=len(replaced) - 12) if len(replaced) > 12 else ""),
        )
    for clamp in trace.clamps:
        yield "held", described(clamp, trace.cell, trace.layers, trace.units)
    yield (
        tr("values in the pictures"),
        tr("of a bounded signal: steps of 1/65534 of its range; of others, and of the drawing: float32"),
    )


def _card(model: CharModel) -> Iterator[tuple[str, str]]:
    yield "name", model.name
    yield "vocabulary", f"{len(model.vocabulary)} {model.vocabulary.reads}"
    yield "parameters", f"{sum(p.numel() for p in model.parameters()):,}"
    for name, value in model.card.items():
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if len(written) > LONGEST_FACT:
            entries = (
                tr("{value_count:,} entries", value_count=len(value))
                if isinstance(value, list | dict)
                else tr("{written_count:,} characters", written_count=len(written))
            )
            written = tr("{entries}, in the model’s file", entries=entries)
        yield name.replace("_", " "), written


def _foot() -> str:
    return tr(
        "Written by {version}. This file needs no network and no server, and asks for none. The drawings follow"
        " the visual language of Christopher Olah’s essay “Understanding LSTM Networks” (2015) and are drawn"
        " anew. MIT licence.",
        version=version(),
    )


def _table(rows: Iterator[tuple[str, str]]) -> str:
    return "".join(f"<tr><th>{escape(printable(a))}</th><td>{escape(printable(b))}</td></tr>" for a, b in rows)


def printable(text: str) -> str:
    """A text that UTF-8 and HTML can hold: half a surrogate pair, or a control character, becomes its picture or U+FFFD."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else glyph(c)[0] if c < " " and c not in "\n\t" else c for c in text)
