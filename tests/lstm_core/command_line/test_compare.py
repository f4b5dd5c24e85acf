"""compare: what it prints is what the analyses compute."""

import re

import pytest

import lstm_core as lc
from lstm_core.__main__ import main
from lstm_core.analysis.costs import cost
from lstm_core.analysis.disagreement import disagreement

MODELS = ("family-rnn", "family-lstm", "family-gru")
TEXT = "the clouds are in the sky"


def test_losses_and_disagreements_are_those_of_the_traces(capsys):
    assert main(("compare", *MODELS, "--text", TEXT, "--peaks", "3")) == 0
    out = capsys.readouterr().out
    traces = [lc.trace(lc.load(name), TEXT) for name in MODELS]
    between = disagreement(traces, 3)
    for trace in traces:
        assert re.search(rf"{trace.model} +loss {trace.loss:.4f} nats", out)
    found = re.findall(r"^(\d\.\d+)  character +(\d+)  (.*)", out, re.MULTILINE)
    assert [(int(n) - 1) for _, n, _ in found] == list(between.peaks)
    assert [float(v) for v, _, _ in found] == pytest.approx([between.values[s] for s in between.peaks], abs=1e-4)
    assert all(f"⟨{TEXT[step]}⟩".replace(" ", "␣") in shown for step, (_, _, shown) in zip(between.peaks, found))


def test_what_was_replaced_is_said(capsys):
    assert main(("compare", "family-rnn", "python-lstm", "--text", "naïve “x”")) == 0
    out = capsys.readouterr().out
    assert re.search(r"python-lstm +loss .*, 3 characters read as others", out)


def test_the_table_counts_what_the_analysis_counts(capsys):
    assert main(("compare", "--table")) == 0
    out = capsys.readouterr().out
    for info in lc.models():
        counted = cost(lc.load(info.name))
        assert re.search(
            rf"^{info.name} .* {counted.equations} +{counted.parameters:,} +{counted.multiplications:,} "
            rf"+{info.card['held_out_loss']:.3f} ",
            out,
            re.MULTILINE,
        )


@pytest.mark.parametrize(
    ("argv", "code", "sentence"),
    [
        (("family-rnn", "--text", "x"), 2, "two models or more; it was given 1 model"),
        ((), 2, "--text or --text-file, or --table"),
        (("family-rnn", "no-such", "--text", "x"), 1, "no-such"),
        (("family-rnn", "family-lstm", "--text", ""), 1, "no text to read"),
    ],
)
def test_what_can_t_be_compared_gets_one_sentence(argv, code, sentence, capsys):
    assert main(("compare", *argv)) == code
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and sentence in error and error.count("\n") == 1
