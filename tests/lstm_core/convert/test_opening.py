"""One call opens anybody's checkpoint; a list beside it names its characters."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
import torch
from torch import nn

import lstm_core as lc
from lstm_core import convert
from lstm_core.convert.draft import LARGEST_FILE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A state dict of 100 symbols, without their names."""
    torch.manual_seed(0)
    module = nn.ModuleDict({"embed": nn.Embedding(100, 4), "lstm": nn.LSTM(4, 5), "fc": nn.Linear(5, 100)})
    torch.save(module.state_dict(), tmp_path / "poems.pth")
    return tmp_path / "poems.pth"


def test_a_file_and_its_vocabulary(file: Path) -> None:
    model = lc.open_checkpoint(file, string.printable)
    assert (model.name, model.vocabulary, model.training) == ("poems", lc.Vocabulary(string.printable), False)
    assert model.card["source"] == "PyTorch state dict"


@pytest.mark.parametrize("name", ["poems.json", "vocab.json", "chars.json", "char2int.json"])
def test_a_list_beside_it(file: Path, name: str) -> None:
    characters = string.printable[::-1]
    file.with_name(name).write_text(json.dumps(list(characters)), "utf-8")
    file.with_name("results.json").write_text(json.dumps(list(string.printable)), "utf-8")
    assert list(convert.beside(file)) == [name]
    assert lc.open_checkpoint(file).vocabulary == lc.Vocabulary(characters)


def test_without_any_the_sentence_names_what_would_fit(file: Path) -> None:
    file.with_name("vocab.txt").write_text("abc", "utf-8")
    with pytest.raises(lc.ConvertError, match=r"which 100 characters .* name them \(Python's string.printable would fit\)$"):
        lc.open_checkpoint(file)


def test_a_file_of_ours_is_opened_too(tmp_path: Path, make_model) -> None:
    lc.save(make_model(), tmp_path / "ours.safetensors")
    assert lc.open_checkpoint(tmp_path / "ours.safetensors").vocabulary == make_model().vocabulary


def test_a_model_is_saved_and_opened_again(file: Path) -> None:
    model = lc.open_checkpoint(file, string.printable)
    lc.save(model, file.with_suffix(".safetensors"))
    again = lc.open_checkpoint(file.with_suffix(".safetensors"))
    assert again.card == model.card
    assert (lc.trace(again, "To be").probs == lc.trace(model, "To be").probs).all()


def test_files_that_are_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lc.open_checkpoint(tmp_path / "none.pt")
    with (tmp_path / "large.pt").open("wb") as large:
        large.truncate(LARGEST_FILE + 1)  # sparse: it takes no room
    with pytest.raises(lc.ConvertError, match="large.pt has 64 MB; at most 64 MB are read"):
        lc.open_checkpoint(tmp_path / "large.pt")
