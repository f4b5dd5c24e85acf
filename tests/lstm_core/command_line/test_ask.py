"""ask: what it prints is what the analyses compute."""

import re

import pytest

import lstm_core as lc
from lstm_core.__main__ import main
from lstm_core.analysis.biases import biases
from lstm_core.command_line.ask import QUESTIONS

TEXT = "the clouds are in the sky"


def asked(capsys, *argv: str) -> list[str]:
    assert main(("ask", *argv)) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_for_a_gru(question, capsys):
    lines = asked(capsys, question, "family-gru-pytorch", "--text", TEXT, "--unit", "3")
    assert lines[0] == "family-gru-pytorch, layer 1, unit 3, character 24: 'k'"
    assert len(lines) > 1 and re.search(r"\d\.\d", "".join(lines[1:]))


def test_the_numbers_are_the_analysis_own(capsys):
    model = lc.load("family-lstm")
    forget = biases(model, lc.trace(model, TEXT), 0, 4)[0]
    lines = asked(capsys, "bias", "family-lstm", "--text", TEXT, "--unit", "7", "--character", "5")
    assert f"sum {forget.total[7]:.6g}; value {forget.value[7]:.6g}, without {forget.without[7]:.6g}" in lines[1]


def test_one_product_is_the_sum_of_its_parts(capsys):
    for line in asked(capsys, "matrix", "family-lstm", "--text", TEXT)[1:]:
        found = re.search(r"one product (\S+); its parts h (\S+) \+ x (\S+); biases (\S+); pre-activation (\S+)", line)
        whole, h, x, b, total = map(float, found.groups())
        assert whole == pytest.approx(h + x, abs=1e-4) and total == pytest.approx(whole + b, abs=1e-4)


def test_a_model_without_biases_says_so(capsys):
    assert asked(capsys, "bias", "family-gru", "--text", TEXT)[1:] == ["this model has no biases"]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("z", "family-lstm", "--text", TEXT), "LSTM is no GRU: it has forget"),
        (("states", "family-lstm", "--text", "a"), "step 0 is the text's last"),
        (("bias", "family-lstm", "--text", TEXT, "--unit", "128"), "there is no unit 128; the trace has units 0 to 127"),
        (("bias", "family-lstm", "--text", TEXT, "--layer", "2"), "there is no layer 1; the trace has layers 0 to 0"),
    ],
)
def test_what_is_not_there_is_one_sentence(argv, sentence, capsys):
    assert main(("ask", *argv)) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {sentence}") and error.count("\n") == 1


def test_an_unknown_question_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(("ask", "colour", "family-lstm", "--text", TEXT))
    assert stopped.value.code == 2 and "matrix" in capsys.readouterr().err
