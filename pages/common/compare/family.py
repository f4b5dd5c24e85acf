"""Compare, third view: what each cell costs and how well it predicts, beside what two large studies found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

import lstm_core as lc
from lstm_core.analysis.costs import Cost, cost, milliseconds
from lstm_core.figures.costs import loss_against_cost
from lstm_core.words import tr
from pages.common import caches, detail, markdown, selection
from pages.common.compare import choice
from pages.common.display import Options

FAMILY = "family-"
RUNS = 9
MEASURED_STEPS = 1000  # characters of the text that is measured on
MEASURED = "measured milliseconds"  # model -> milliseconds a character, in this session

GREFF = "[Greff et al. 2015](https://arxiv.org/abs/1503.04069)"
JOZEFOWICZ = "[Jozefowicz et al. 2015](https://proceedings.mlr.press/v37/jozefowicz15.html)"


def show(models: Mapping[str, lc.ModelInfo], query: Mapping[str, str] | None) -> Options:
    """The table, the picture of cost and loss, and the studies. No picture here has options: returns none.

    query: of a link; nothing is read from it.
    """
    choice.choose_models(models, with_layers=False)
    names = [name for name in models if name.startswith(FAMILY) or name in choice.STATE.current().models]
    st.caption(
        tr(
            "The models whose names begin with {family} were trained alike: one recipe, one text, equal numbers of"
            " units. Those chosen above are listed with them. Point at a column's head for how its numbers were got.",
            family=FAMILY,
        )
    )
    _measure(names)
    measured = st.session_state.get(MEASURED, {})
    rows = [_row(models[name], _cost(name), measured.get(name)) for name in names]
    st.dataframe(rows, hide_index=True, column_config=_columns(measured))
    st.caption(_how(measured))
    _picture(models, names)
    family = {info.config["cell"]: info for name, info in models.items() if name.startswith(FAMILY)}
    _studies(family)
    return {}


@caches.cached(64)
def _cost(name: str) -> Cost:
    return cost(caches.model(name))


def _row(info: lc.ModelInfo, counted: Cost, took: float | None) -> dict[str, Any]:
    card, ngrams = info.card, info.card.get("ngrams", {})
    return {
        "model": info.name,
        "cell": caches.described(info.name).cell.title,
        "size": f"{info.config['layers']} × {info.config['units']}",
        "equations": counted.equations,
        "parameters": counted.parameters,
        "multiplications": counted.multiplications,
        "of them pointwise": counted.pointwise,
        "loss": card.get("held_out_loss"),
        "best n-grams": ngrams.get("held_out_loss"),
        "ms a character": took,
        "corpus": card.get("corpus", ""),
    }


def _columns(measured: Mapping[str, float]) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "size": text(help=tr("Layers × units, from the file")),
        "equations": number(help=tr("How many the cell's declaration has: one a gate, candidate or state")),
        "parameters": number(format="localized", help=tr("All trained numbers: weights, biases and the head, from"
" their shapes")),
        "multiplications": number(
            format="localized",
            help=tr("A character's: matrix products of every layer and of the head, and the pointwise ones. Counted"
" from the declaration and the shapes of the weights. A one-hot input is looked up, and counts"
" nothing; additions, σ and tanh are not counted."),
        ),
        "of them pointwise": number(format="localized", help=tr("Products unit by unit: of gates and of peepholes")),
        "loss": number(
            format="%.3f", help=tr("From the model's card: nats a character on the part of its corpus it was not"
" trained on")
        ),
        "best n-grams": number(format="%.3f", help=tr("From the card: the best table of n-grams on the same part,"
" nats")),
        "ms a character": number(
            format="%.4f",
            help=tr("Measured on this machine when asked for: milliseconds to read a character and keep every gate") if measured
            else tr("Not measured yet: press the button above"),
        ),
    }  # fmt: skip


def _how(measured: Mapping[str, float]) -> str:
    text = tr("Losses can be compared where the corpus is the same. Equal units are not equal parameters.")
    if measured:
        text += tr(
            " Milliseconds: the median of {runs} readings of {measured_steps:,} characters, taken in turn, after"
            " one that did not count; one thread, every gate kept, on this machine as busy as it was. It measures"
            " this app's way of reading: LSTMs by torch's oneDNN kernel, where it gives its gates away, every"
            " other cell by its equations in NumPy.",
            runs=RUNS,
            measured_steps=MEASURED_STEPS,
        )
    return text


def _measure(names: Sequence[str]) -> None:
    """The button, and behind it the measuring, with a bar that tells how much of it is done."""
    if not st.button(tr("Measure milliseconds a character on this machine"), key="compare_measure"):
        return
    text = selection.current().text
    text = (text * (MEASURED_STEPS // len(text) + 1))[:MEASURED_STEPS]
    bar = st.progress(0.0, tr("A first reading that does not count …"))
    for done, medians in enumerate(milliseconds([caches.model(name) for name in names], text, RUNS), 1):
        bar.progress(done / RUNS, tr("Round {done} of {runs}", done=done, runs=RUNS))
        st.session_state[MEASURED] = dict(zip(names, medians))
    bar.empty()


def _picture(models: Mapping[str, lc.ModelInfo], names: Sequence[str]) -> None:
    """Cost against loss, of those that were judged on the family's corpus."""
    corpora = [models[n].card.get("corpus") for n in names if n.startswith(FAMILY)]
    judged = [n for n in names if "held_out_loss" in models[n].card and models[n].card.get("corpus") in corpora[:1]]
    if not judged:
        return
    losses = [models[n].card["held_out_loss"] for n in judged]
    ngrams = models[judged[0]].card.get("ngrams", {}).get("held_out_loss")
    counts = [_cost(n).multiplications for n in judged]
    figure = loss_against_cost(judged, counts, losses, ngrams, theme=detail.theme())
    st.plotly_chart(figure, key="compare_costs", theme=None, config=detail.PLOT)


# The studies


def _studies(family: Mapping[str, lc.ModelInfo]) -> None:
    st.subheader(tr("Beside what two large studies found"), anchor=False)
    rows = [(they, here) for they, here in findings({cell: _loss(info) for cell, info in family.items()}, _bias(family))]
    st.markdown("\n".join([tr("| They found | Here |"), "|---|---|", *(f"| {they} | {here} |" for they, here in rows)]))
    st.caption(
        tr(
            "Greff et al. trained eight variants of an LSTM that has peepholes, on speech, handwriting and music,"
            " with a random search of the hyperparameters for each: 5,400 runs. Jozefowicz et al. evaluated over ten"
            " thousand architectures on arithmetic, XML, words and music. Here each cell was trained once, with one"
            " seed and one recipe that was tuned for none, on one text: a few hundredths of a nat may turn with the"
            " next seed. “Here” is read off the cards."
        )
    )


def _loss(info: lc.ModelInfo) -> float | None:
    return info.card.get("held_out_loss")


def _bias(family: Mapping[str, lc.ModelInfo]) -> float | None:
    lstm = family.get("lstm")
    return None if lstm is None else lstm.card.get("recipe", {}).get("forget_bias")


def findings(losses: Mapping[str, float | None], forget_bias: float | None) -> list[tuple[str, str]]:
    """Pairs of Markdown: what a study found, and what our family says to it; losses by cell, nats a character."""
    return [
        (tr("No variant was significantly better than the standard LSTM ({greff}).", greff=GREFF), _lowest_and_highest(losses)),
        (
            tr("Coupling the input and forget gates did not significantly hurt ({greff}).", greff=GREFF),
            _against(losses, "coupled", "lstm", tr("coupled gates"), tr("separate ones")),
        ),
        (
            tr("Leaving out the peepholes did not significantly hurt ({greff}).", greff=GREFF),
            _against(losses, "lstm", "peephole", tr("without peepholes"), tr("with them")),
        ),
        (
            tr(
                "The forget gate and the squashing of the output are the most critical parts: without either, results"
                " were significantly worse ({greff}).",
                greff=GREFF,
            ),
            tr(
                "The family holds no cell without one of them, so it says nothing to this. A plain RNN, which has no"
                " gates at all, against the LSTM. {against}",
                against=_against(losses, "rnn", "lstm", "without gates", "with them"),
            ),
        ),
        (
            tr(
                "A forget gate whose bias starts at 1 closes the gap between LSTM and GRU ({jozefowicz}).",
                jozefowicz=JOZEFOWICZ,
            ),
            _bias_text(losses, forget_bias),
        ),
        (
            tr("The GRU was better than the LSTM on all tasks but language modelling ({jozefowicz}).", jozefowicz=JOZEFOWICZ),
            tr("This is language modelling, by characters; theirs was by words. ")
            + _against(losses, "gru", "lstm", tr("the essay's GRU"), tr("the LSTM"))
            + " "
            + _against(losses, "gru_pytorch", "lstm", tr("PyTorch's GRU"), tr("the LSTM")),
        ),
        (
            tr(
                "Of the LSTM's gates the forget gate matters greatly on all tasks but language modelling, the input"
                " gate matters, the output gate does not ({jozefowicz}).",
                jozefowicz=JOZEFOWICZ,
            ),
            tr(
                "The family has no LSTM without one of its gates. The clamp on the page Inside takes a gate out of a"
                " trained one, which is not the same as training without it."
            ),
        ),
        (
            tr(
                "No architecture that was found was better than LSTM and GRU on every task ({jozefowicz}).",
                jozefowicz=JOZEFOWICZ,
            ),
            tr("The family holds known cells alone: no search was made."),
        ),
    ]


def _bias_text(losses: Mapping[str, float | None], forget_bias: float | None) -> str:
    if forget_bias is None:
        return tr("The LSTM's card does not say where its bias started.")
    return tr(
        "Our LSTM's started at {forget_bias:g}, by its card. {against}",
        forget_bias=forget_bias,
        against=_against(losses, "gru_pytorch", "lstm", "the GRU", "the LSTM"),
    )


def _against(losses: Mapping[str, float | None], one: str, other: str, name: str, other_name: str) -> str:
    """A sentence that sets one cell's loss beside another's."""
    a, b = losses.get(one), losses.get(other)
    if a is None or b is None:
        return tr("One of the two models is not here.")
    a, b = round(a, 3), round(b, 3)  # so that what is shown adds up
    apart = tr("{a:.3f} nats {value}", a=abs(a - b), value="higher" if a > b else "lower") if a != b else tr("the same")
    return f"{_capital(name)} {a:.3f}, {other_name} {b:.3f}: {apart}."


def _lowest_and_highest(losses: Mapping[str, float | None]) -> str:
    known = {cell: loss for cell, loss in losses.items() if loss is not None}
    if not known:
        return tr("No model of the family is here.")
    best, worst = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    below = [lc.cell(cell).title for cell in known if "lstm" in known and known[cell] < known["lstm"]]
    ends = tr(
        "Lowest loss: {title}, {known:.3f}. Highest: {title_2}, {known_2:.3f}.",
        title=lc.cell(best).title,
        known=known[best],
        title_2=lc.cell(worst).title,
        known_2=known[worst],
    )
    return ends + (
        tr(" Below the LSTM's {lstm:.3f}: {map}.", lstm=known["lstm"], map=", ".join(map(markdown.plain, below)))
        if below
        else ""
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
