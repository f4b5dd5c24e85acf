"""Rightly packed models read; wrongly packed ones and wrong vocabularies are told, on every shipped model."""

from __future__ import annotations

import copy
import hashlib
import inspect
import math
import random
import textwrap
from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
import torch

import lstm_core as lc
from lstm_core import ngrams
from lstm_core.analysis import proof as module_of_proof
from lstm_core.analysis.proof import SHORTEST, _changed, _complement_update, _reorder, _shift, _transpose, rank
from lstm_core.model import CharModel
from lstm_core.training import held_out_loss

WAR_AND_PEACE = """\
It was in July, 1805, and the speaker was the well-known Anna Pavlovna Scherer, maid of honor and favorite of the Empress
Marya Fedorovna. With these words she greeted Prince Vasili Kuragin, a man of high rank and importance, who was the first to
arrive at her reception. Anna Pavlovna had had a cough for some days. She was, as she said, suffering from la grippe; grippe
being then a new word in St. Petersburg, used only by the elite. All her invitations without exception, written in French,
and delivered by a scarlet-liveried footman that morning, ran as follows:
"""
SHAKESPEARE = """\
HAMLET:
To be, or not to be: that is the question:
Whether 'tis nobler in the mind to suffer
The slings and arrows of outrageous fortune,
Or to take arms against a sea of troubles,
And by opposing end them? To die: to sleep;
No more; and by a sleep to say we end
The heart-ache and the thousand natural shocks
That flesh is heir to, 'tis a consummation
Devoutly to be wish'd. To die, to sleep;
To sleep: perchance to dream: ay, there's the rub;
"""
PYTHON = inspect.getsource(textwrap)[:600]
OWN = {"shakespeare-lstm": SHAKESPEARE, "python-lstm": PYTHON}
SHIPPED = {info.name: lc.cell(info.config["cell"]) for info in lc.models()}


LARGE = {"war-and-peace-lstm", "shakespeare-lstm", "python-lstm"}


def with_one_large(name: str) -> pytest.MarkDecorator:
    """The small models and one of the three large ones, which differ in their weights alone and take ten times the time."""
    return pytest.mark.parametrize("model", [each for each in SHIPPED if each == name or each not in LARGE], indirect=True)


def own_text(name: str) -> str:
    return OWN.get(name, WAR_AND_PEACE)


@pytest.fixture(scope="module", autouse=True)
def _judged_once() -> Iterator[None]:
    """The loss of the same weights over the same text is worked out once: the rows of a model, taken in one wrong order, are
    tried in all orders, which are those that the next wrong order is tried in."""
    whole, known = module_of_proof._short_loss, {}

    def short_loss(model: CharModel, text: str) -> float:
        weights = hashlib.sha256()
        for value in model.state_dict().values():
            weights.update(value.numpy())
        key = (weights.digest(), model.cell, model.vocabulary.characters, text, module_of_proof.LARGE)
        if key not in known:
            known[key] = whole(model, text)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module_of_proof, "_short_loss", short_loss)
        yield


@pytest.fixture(scope="module", params=SHIPPED)
def model(request: pytest.FixtureRequest) -> CharModel:
    return lc.load(request.param)


def paired(model: CharModel, characters: list[str]) -> CharModel:
    other = copy.copy(model)
    other.vocabulary = lc.Vocabulary(characters, model.vocabulary.unknown)
    return other


def test_the_right_packing_reads_and_no_other_reads_better(model: CharModel) -> None:
    proof = lc.proof(model, own_text(model.name))
    assert (proof.verdict, proof.hints) == ("reads", ())
    assert proof.sentence.startswith("This model reads: ")
    assert proof.loss < proof.ngrams.best_loss - 0.5
    assert proof.others[0].loss > proof.plain + 0.4, "the best other way is clearly worse"


@pytest.mark.parametrize("name", [name for name, cell in SHIPPED.items() if len(cell.rows) > 1])
def test_rows_in_another_order_are_told(name: str) -> None:
    """All orders of one model of each number of rows; of the others that of ONNX, and one that is near to right."""
    model, text = lc.load(name), own_text(name)
    rows = model.cell.rows
    some = len(rows) == 4 and name != "family-lstm"
    orders = ["iofg", "figo"] if some else list(permutations(rows))[1:]
    for order in map(tuple, orders):
        proof = lc.proof(_changed(model, lambda m, layer, order=order: _reorder(m, layer, order)), text)
        assert proof.verdict == "wrong", order
        back = tuple(rows[order.index(row)] for row in rows)  # the order that undoes this one
        assert proof.others[0].label.startswith(f"its rows taken as {', '.join(back)}"), order
        assert proof.sentence.startswith("This looks wrongly packed: with its rows taken as")


@with_one_large("war-and-peace-lstm")
def test_a_missed_transpose_is_told(model: CharModel) -> None:
    proof = lc.proof(_changed(model, _transpose), own_text(model.name))
    assert (proof.verdict, proof.others[0].label) == ("wrong", "W_hh transposed")


@pytest.mark.parametrize("name", [name for name, cell in SHIPPED.items() if "update" in cell.names])
def test_an_update_gate_the_wrong_way_round_is_told(name: str) -> None:
    proof = lc.proof(_changed(lc.load(name), _complement_update), own_text(name))
    assert proof.verdict == "wrong" and proof.others[0].label.startswith("the update gate z turned round")


@with_one_large("shakespeare-lstm")
def test_the_wrong_vocabulary_is_told(model: CharModel) -> None:
    """Each model's is shuffled, or off by one."""
    characters = list(model.vocabulary.characters)
    if list(SHIPPED).index(model.name) % 2:
        characters = characters[1:] + characters[:1]
    else:
        random.Random(0).shuffle(characters)
    proof = lc.proof(paired(model, characters), own_text(model.name))
    assert proof.verdict == "wrong"
    assert proof.sentence.startswith("This looks wrongly packed or paired with the wrong vocabulary: ")
    assert proof.loss > proof.uniform


@pytest.mark.parametrize("name", [name for name, cell in SHIPPED.items() if cell.forget_rows])
def test_a_forget_bias_without_its_1_reads_on_and_gets_a_hint(name: str) -> None:
    proof = lc.proof(_changed(lc.load(name), lambda m, layer: _shift(m, layer, -1.0)), own_text(name))
    assert proof.verdict == "reads"
    assert proof.hints[0].startswith("With +1 on the forget bias it would need 0.")
    assert "forget bias" in proof.unseen


UNKNOWN = "".join(random.Random(0).choices("éßж日", k=500))


@with_one_large("python-lstm")
def test_a_text_of_another_kind_is_not_taken_for_a_wrong_packing(model: CharModel) -> None:
    text = [SHAKESPEARE, PYTHON, UNKNOWN][list(SHIPPED).index(model.name) % 3] if model.name not in OWN else WAR_AND_PEACE
    proof = lc.proof(model, text)
    assert "wrongly packed: with" not in proof.sentence
    assert proof.verdict != "wrong" or "Only a text of quite another kind" in proof.sentence


def test_a_model_that_learnt_nothing_does_not_read(make_model) -> None:
    proof = lc.proof(make_model(spread=1.0), WAR_AND_PEACE.lower())
    assert proof.verdict in ("unclear", "wrong")
    assert proof.loss == pytest.approx(math.log(27), abs=0.3)


def test_the_numbers_are_those_of_their_names() -> None:
    model = lc.load("family-lstm")
    proof = lc.proof(model, WAR_AND_PEACE)
    half = len(WAR_AND_PEACE) // 2
    trace = lc.trace(model, WAR_AND_PEACE)
    assert proof.loss == pytest.approx(float(trace.surprise[half + 1 :].mean()), abs=1e-4)
    assert proof.steps == len(WAR_AND_PEACE) - half - 1
    assert proof.uniform == math.log(len(model.vocabulary))
    assert proof.ngrams.losses == ngrams.ngram_loss(WAR_AND_PEACE[:half], WAR_AND_PEACE[half:], range(1, 6)).losses
    assert proof.plain == pytest.approx(held_out_loss(model, WAR_AND_PEACE, 10), abs=1e-6)
    assert proof.replaced == 0 and proof.unit == "character"
    assert [o.loss for o in proof.others] == sorted(o.loss for o in proof.others)
    assert len(proof.others) == 24


def test_characters_that_it_does_not_know_are_counted(make_model) -> None:
    proof = lc.proof(make_model(), "abc%" * 100)
    assert proof.replaced == 0.25
    assert "It knows 75 % of the text’s characters." in proof.sentence


def test_bytes_are_judged_by_the_byte() -> None:
    torch.manual_seed(0)
    model = CharModel(lc.Vocabulary.of_bytes(), "gru_pytorch", 8, 1, name="bytes").eval()
    proof = lc.proof(model, "é日" * 100)
    assert (proof.unit, proof.uniform) == ("byte", math.log(256))
    assert proof.steps == 500 - 250 - 1
    assert "nats a byte" in proof.sentence


def test_it_leaves_the_model_as_it_was(make_model) -> None:
    model = make_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lc.proof(model, WAR_AND_PEACE)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("text, count", [("", 0), ("a" * (SHORTEST - 1), SHORTEST - 1)])
def test_a_text_too_short_to_tell(make_model, text: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"a proof needs 200 characters or more; the text has {count}"):
        lc.proof(make_model(), text)


def test_the_right_vocabulary_ranks_first() -> None:
    model = lc.load("shakespeare-lstm")
    right = model.vocabulary
    wrong = [lc.Vocabulary(right.characters[k:] + right.characters[:k]) for k in (1, 7, 30)]
    ranked = rank(model, [*wrong[:2], right, wrong[2]], SHAKESPEARE)
    assert ranked[0][0] == 2 and ranked[0][1] < ranked[1][1] - 1
    assert model.vocabulary is right


def test_a_large_model_is_judged_alike_and_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    model, shares = lc.load("family-gru"), []
    monkeypatch.setattr(module_of_proof, "LARGE", 1000)
    judged = lc.proof(model, WAR_AND_PEACE, progress=shares.append)
    assert judged.verdict == "reads" and judged.others[0].loss > judged.plain
    assert shares == sorted(set(shares)) and len(shares) == len(judged.others) and shares[0] > 0 and shares[-1] < 1


def test_without_comparing_it_says_the_same_of_the_loss() -> None:
    model = lc.load("family-gru")
    quick, whole = lc.proof(model, WAR_AND_PEACE, compare=False), lc.proof(model, WAR_AND_PEACE)
    assert (quick.loss, quick.sentence, quick.others) == (whole.loss, whole.sentence, ())
    assert np.isnan(quick.plain)
