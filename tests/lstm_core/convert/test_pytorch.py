"""Files as PyTorch's users write them: the same predictions come out, whatever the names, and nothing in them is run."""

from __future__ import annotations

import io
import pickle
import random
import re
import string
import sys
import types
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import lstm_core as lc
from lstm_core import convert
from lstm_core.convert import ConvertError, Draft, vocabularies
from lstm_core.training import held_out_loss
from tests.examples import examples

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
REAL = SHARED / "checkpoints" / "pytorch_gru2x100" / "hidden_size_100.pt"
TINY_SHAKESPEARE = SHARED / "corpora" / "tinyshakespeare.txt"
needs_the_real_file = pytest.mark.skipif(not REAL.exists(), reason="skipped: the real checkpoint is not on this machine")

CHARACTERS = "zyxwvutsrqponmlkjihgfedcba "  # not sorted, as people's are not
TEXT = "the clouds are in the sky"
KINDS = {"lstm": nn.LSTM, "gru_pytorch": nn.GRU, "rnn": nn.RNN}


class Net(nn.Module):
    """What people train: an embedding or one-hot input, a recurrent layer, a linear head, under any names."""

    def __init__(
        self,
        kind: type[nn.RNNBase] = nn.LSTM,
        width: int | None = 5,
        units: int = 6,
        layers: int = 2,
        names: tuple[str, str, str] = ("embed", "rnn", "fc"),
        size: int = len(CHARACTERS),
        **more: Any,
    ) -> None:
        super().__init__()
        self.names, self.width, self.size = names, width, size
        if width is not None:
            self.add_module(names[0], nn.Embedding(size, width))
        self.add_module(names[1], kind(width or size, units, layers, **more))
        self.add_module(names[2], nn.Linear(units, size))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """ids: (time,). Returns probabilities (time, size)."""
        embed, rnn, head = (self.get_submodule(n) if n in self._modules else None for n in self.names)
        vectors = embed(ids) if embed else nn.functional.one_hot(ids, self.size).float()
        return head(rnn(vectors)[0]).softmax(-1)


def net(*args: Any, **more: Any) -> Net:
    torch.manual_seed(0)
    return Net(*args, **more).eval()


def saved(value: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def read(data: bytes, **aside: bytes) -> Draft:
    return convert.read(data, "model.pt", aside)


def same(module: Net, draft: Draft, vocabulary: str = CHARACTERS) -> None:
    """The draft's model predicts what the module does."""
    model = draft.model(vocabulary)
    ids = torch.from_numpy(model.vocabulary.ids(TEXT))
    with torch.inference_mode():
        wanted = module(ids).float().numpy()
    np.testing.assert_allclose(lc.trace(model, TEXT).probs, wanted, rtol=0, atol=1e-5)


# Names, sizes, forms


@pytest.mark.parametrize("form", ["zip", "before 1.6"])
@pytest.mark.parametrize("width", [None, 5, 6])  # 6: as wide as the cells, so that shapes alone tell nothing
@pytest.mark.parametrize("cell", KINDS)
def test_a_state_dict_predicts_what_its_module_did(cell: str, width: int | None, form: str) -> None:
    module = net(KINDS[cell], width)
    draft = read(saved(module.state_dict(), _use_new_zipfile_serialization=form == "zip"))
    assert (draft.cell.name, draft.units, draft.layers, draft.embedding, draft.size) == (cell, 6, 2, width, 27)
    assert draft.source == "PyTorch state dict" + ("" if form == "zip" else ", in the form before 1.6")
    same(module, draft)


@pytest.mark.parametrize(
    "names",
    [("encoder", "rnn", "decoder"), ("embed", "lstm", "out"), ("embedding", "gru", "fc"), ("wte", "core", "head"),
     ("emb_layer", "recurrent", "dense"), ("a", "b", "c")],
)  # fmt: skip
def test_names_may_be_any(names: tuple[str, str, str]) -> None:
    module = net(nn.GRU, 6, names=names)
    same(module, read(saved(module.state_dict())))


def test_the_order_of_definition_may_be_any() -> None:
    module = net(nn.LSTM, 6)
    same(module, read(saved(dict(reversed(module.state_dict().items())))))


@pytest.mark.parametrize("prefix", ["module.", "model.", "net.module.", "_orig_mod.", "generator.core."])
def test_prefixes_may_be_any(prefix: str) -> None:
    module = net()
    same(module, read(saved({prefix + name: value for name, value in module.state_dict().items()})))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_numbers_may_have_another_width(dtype: torch.dtype) -> None:
    module = net().to(dtype)
    draft = read(saved(module.state_dict()))
    assert {array.dtype for array in draft.parameters.values()} == {np.dtype(np.float32)}
    same(module.float(), draft)


@pytest.mark.parametrize("size", [256])
def test_a_model_of_bytes_with_three_layers(size: int) -> None:
    module = net(nn.GRU, 16, 12, 3, size=size)
    draft = read(saved(module.state_dict()))
    assert "bytes" in [c.label for c in vocabularies.candidates(draft)]
    model = draft.model(lc.Vocabulary.of_bytes())
    text = "naïve “日本” 👍"
    with torch.inference_mode():
        wanted = module(torch.tensor(list(text.encode()))).numpy()
    np.testing.assert_allclose(lc.trace(model, text).probs, wanted, rtol=0, atol=1e-5)


def test_biases_may_be_missing() -> None:
    module = net(nn.LSTM, bias=False)
    draft = read(saved(module.state_dict()))
    assert dict(draft.detected)["biases"] == "none in the cells"
    same(module, draft)


def test_tied_weights_in_a_state_dict_and_kept_once() -> None:
    module = net(nn.LSTM, 6)
    module.fc.weight = module.embed.weight
    same(module, read(saved(module.state_dict())))
    once = {name: value for name, value in module.state_dict().items() if name != "fc.weight"}
    once["embed.bias"] = once.pop("fc.bias")
    same(module, read(saved(once)))


def test_views_into_one_storage_and_transposed_ones() -> None:
    """cuDNN's flat weights are views of one storage; a transposed array is a view with strides."""
    module = net()
    state = {name: value.t().contiguous().t() if value.dim() == 2 else value for name, value in module.state_dict().items()}
    flat = torch.cat([value.reshape(-1) for value in state.values()])
    views, start = {}, 0
    for name, value in state.items():
        views[name] = flat[start : start + value.numel()].view(value.shape)
        start += value.numel()
    same(module, read(saved(state)))
    same(module, read(saved(views)))


@pytest.mark.parametrize("form", ["old", "new"])
def test_weight_norm_is_undone(form: str) -> None:
    module = net(nn.LSTM)
    normed = net(nn.LSTM)
    with pytest.warns(FutureWarning) if form == "old" else nullcontext():
        norm = nn.utils.weight_norm if form == "old" else nn.utils.parametrizations.weight_norm
        for name in ("weight_hh_l0", "weight_ih_l1"):
            norm(normed.rnn, name)
        norm(normed.fc, "weight")
    assert any(name.endswith(("_g", "original0")) for name in normed.state_dict())
    same(module, read(saved(normed.state_dict())))


@pytest.mark.parametrize("kind, cell", [(nn.LSTMCell, nn.LSTM), (nn.GRUCell, nn.GRU), (nn.RNNCell, nn.RNN)])
def test_a_stack_of_single_cells(kind: type[nn.Module], cell: type[nn.RNNBase]) -> None:
    module = net(cell, layers=3)
    state = module.state_dict()
    cells = nn.ModuleList([kind(5 if k == 0 else 6, 6) for k in range(3)])
    for k, layer in enumerate(cells):
        layer.load_state_dict({n.removesuffix(f"_l{k}")[4:]: v for n, v in state.items() if n.endswith(f"_l{k}")})
    by_hand = {f"cells.{name}": value for name, value in cells.state_dict().items()}
    by_hand |= {n: v for n, v in state.items() if not n.startswith("rnn.")}
    draft = read(saved(by_hand))
    assert "“" not in dict(draft.detected)["layers"] and "cells.0 to cells.2" in dict(draft.detected)["layers"]
    same(module, draft)


def test_numbered_modules_stand_on_one_another_by_their_numbers() -> None:
    module = net(nn.LSTM, layers=2)
    renamed = {n.replace("rnn.", "lstm10." if n.endswith("1") else "lstm9.").replace("_l1", "_l0"): v
               for n, v in reversed(module.state_dict().items())}  # fmt: skip
    same(module, read(saved(renamed)))


# Checkpoints with more in them


def udacity(module: Net, tokens: tuple[str, ...] = tuple(CHARACTERS)) -> dict[str, Any]:
    return {"n_hidden": 6, "n_layers": 2, "state_dict": module.state_dict(), "tokens": tokens}


def test_a_checkpoint_with_an_unsorted_tuple_of_tokens() -> None:
    module = net(nn.LSTM, None, names=("", "lstm", "fc"))
    draft = read(saved(udacity(module)))
    assert draft.vocabulary == lc.Vocabulary(CHARACTERS)
    assert draft.source == "PyTorch checkpoint"
    same(module, draft)


def trained(module: Net, **more: Any) -> dict[str, Any]:
    """A checkpoint after a step of Adam, whose state has tensors of the weights' own shapes."""
    optimiser = torch.optim.Adam(module.parameters())
    module(torch.tensor([1, 2, 3])).sum().backward()
    optimiser.step()
    return {"epoch": 3, "model": module.state_dict(), "optimizer": optimiser.state_dict(), "loss": 1.2, **more}


@pytest.mark.parametrize("key", ["optimizer", "opt", "optimizer_state_dict", "adam"])
def test_the_optimisers_state_is_left_out_and_said(key: str) -> None:
    module = net()
    checkpoint = trained(module)
    checkpoint = {key: checkpoint.pop("optimizer"), **checkpoint}
    draft = read(saved(checkpoint))
    assert any("optimiser" in sentence for sentence in draft.ignored)
    same(module, draft)


def test_a_second_copy_of_the_weights_is_left_out_and_said() -> None:
    module = net()
    other = {name: value + 1 for name, value in module.state_dict().items()}
    draft = read(saved({"ema": other, "model": module.state_dict()}))
    assert "“ema”, a second copy of the weights" in draft.ignored
    same(module, draft)


def test_the_same_weights_under_two_names_are_the_same() -> None:
    module = net()
    again = {f"best.{name}": value for name, value in module.state_dict().items()}
    embedding = {"embed_dropout.inner.weight": module.embed.weight.detach().clone()}
    draft = read(saved({**module.state_dict(), **embedding}))
    same(module, draft)
    assert "“best”, a second copy of the weights" in read(saved({**module.state_dict(), **again})).ignored


def test_blocks_of_one_size_are_no_copies_of_one_another() -> None:
    module = net(nn.LSTM, 6, layers=3)
    blocks = {re.sub(r"rnn\.(\w+)_l(\d)", r"blocks.\2.lstm.\1_l0", n): v for n, v in module.state_dict().items()}
    same(module, read(saved(blocks)))
    same(module, read(saved({**blocks, **{f"ema.{n}": v + 1 for n, v in blocks.items()}})))


def test_names_that_are_made_to_hurt() -> None:
    state, long = net().state_dict(), "a" * (1 << 20)
    with pytest.raises(ConvertError, match="a name of more than 500 characters"):
        read(saved({long: state}))
    facts = {long: {f"{k}": {"chars": CHARACTERS} for k in range(5000)}}
    same(net(), read(saved({"facts": facts, "model": state})))


def test_many_modules_are_refused_at_once() -> None:
    many = {f"{'abcdefghij'[k % 10]}{'klmnopqrst'[k // 10 % 10]}{k}x.rnn.weight_hh_l0": torch.zeros(4, 1) for k in range(2000)}
    with pytest.raises(ConvertError, match="several recurrent modules"):
        read(saved(many))


def test_an_encoder_is_no_copy_of_its_decoder() -> None:
    encoder = {f"encoder.{name}": value for name, value in net().state_dict().items() if not name.startswith("fc")}
    decoder = {f"decoder.{name}": value for name, value in net().state_dict().items()}
    with pytest.raises(ConvertError, match="several recurrent modules, “encoder.rnn” and “decoder.rnn”"):
        read(saved({**encoder, **decoder}))


TABLES: dict[str, Any] = {
    "chars": list(CHARACTERS),
    "vocab": CHARACTERS,
    "char2int": {c: k for k, c in enumerate(CHARACTERS)},
    "int2char": dict(enumerate(CHARACTERS)),
    "stoi": OrderedDict((c, k) for k, c in reversed(list(enumerate(CHARACTERS)))),
    "itos": {str(k): c for k, c in enumerate(CHARACTERS)},
    "char_to_ix": {c: k for k, c in enumerate(CHARACTERS)},
    "idx2char": np.array(list(CHARACTERS)).tolist(),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_vocabulary_under_any_of_the_usual_names(name: str) -> None:
    module = net()
    assert read(saved(trained(module, **{name: TABLES[name]}))).vocabulary == lc.Vocabulary(CHARACTERS)
    nested = {"config": {"data": {name: TABLES[name]}}, "net": module.state_dict()}
    assert read(saved(nested)).vocabulary == lc.Vocabulary(CHARACTERS)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_numpy_in_a_pickle(protocol: int) -> None:
    """Weights as arrays, a vocabulary as an array of text, ids as NumPy's own numbers."""
    module = net()
    state = {name: np.asfortranarray(value.numpy()) for name, value in module.state_dict().items()}
    tables = {"idx2char": np.array(list(CHARACTERS))}, {"char2idx": {c: np.int64(k) for k, c in enumerate(CHARACTERS)}}
    for table in tables:
        draft = read(pickle.dumps({"weights": state, **table}, protocol))
        assert draft.vocabulary == lc.Vocabulary(CHARACTERS)
        same(module, draft)


def test_a_set_is_no_vocabulary_and_said() -> None:
    draft = read(saved({"chars": set(CHARACTERS), "state_dict": net().state_dict()}))
    assert draft.vocabulary is None
    assert any("“chars” is a set" in sentence for sentence in draft.ignored)


# Whole modules, from classes that are gone


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """Saves a module of a class that exists while it is saved alone, in a program that is gone afterwards."""

    def save(module: Net, more: dict[str, Any] | None = None, **options: Any) -> bytes:
        program = types.ModuleType("train_char_rnn")
        program.CharRNN = type("CharRNN", (Net,), {"__module__": "train_char_rnn"})
        program.Config = type("Config", (), {"__module__": "train_char_rnn"})
        monkeypatch.setitem(sys.modules, "train_char_rnn", program)
        module.__class__ = program.CharRNN
        for name, value in (more or {}).items():
            setattr(module, name, value)
        config = program.Config()
        config.bidirectional, config.hidden = False, 6
        module.config = config
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the older form misses the source of a class that has none
            data = saved(module, **options)
        monkeypatch.delitem(sys.modules, "train_char_rnn")
        module.__class__ = Net
        return data

    return save


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", KINDS.values())
def test_a_whole_module_whose_class_is_gone(kind: type[nn.RNNBase], zipped: bool, elsewhere: Callable[..., bytes]) -> None:
    module = net(kind, 6, dropout=0.25)
    data = elsewhere(module, {"int2char": dict(enumerate(CHARACTERS))}, _use_new_zipfile_serialization=zipped)
    with pytest.raises((ImportError, AttributeError)):
        torch.load(io.BytesIO(data), weights_only=False)
    draft = read(data)
    assert draft.source.startswith("PyTorch module")
    assert draft.vocabulary == lc.Vocabulary(CHARACTERS)
    assert "dropout (0.25), which only training uses" in draft.ignored
    same(module, draft)


def test_a_module_in_a_plain_pickle() -> None:
    module = net(nn.GRU)
    for protocol in (2, 5):
        same(module, read(pickle.dumps(module.state_dict(), protocol)))


def test_a_module_that_holds_itself() -> None:
    module = net()
    module.__dict__["owner"] = [module]
    same(module, read(saved(module)))


@needs_the_real_file
def test_the_real_file_reads_tinyshakespeare() -> None:
    draft = read(REAL.read_bytes())
    assert (draft.cell.name, draft.layers, draft.units, draft.embedding, draft.size) == ("gru_pytorch", 2, 100, 100, 100)
    assert draft.vocabulary is None
    assert [c.label for c in vocabularies.candidates(draft)] == ["Python's string.printable"]
    text = TINY_SHAKESPEARE.read_text("utf-8")
    assert held_out_loss(draft.model(string.printable), text[: len(text) // 60]) == pytest.approx(1.372, abs=0.005)


# What is not supported, in a sentence


class Attentive(Net):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Linear(6, 6)


def extended(**more: nn.Module) -> nn.Module:
    module = net()
    for name, part in more.items():
        module.add_module(name, part)
    return module


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: net(nn.LSTM, bidirectional=True), "“rnn” is bidirectional"),
        (lambda: net(nn.LSTM, 5, 3, proj_size=2), "“rnn” is a projected LSTM"),
        (lambda: extended(norm=nn.LayerNorm(6)), "“norm” is a layer normalisation"),
        (lambda: extended(bn=nn.BatchNorm1d(6)), "“bn” is a batch normalisation"),
        (Attentive, "“attention.weight” belongs to attention"),
        (lambda: extended(conv=nn.Conv1d(5, 5, 3)), r"“conv.weight”, of shape \(5, 5, 3\), belongs to a convolution"),
        (lambda: extended(extra=nn.Linear(4, 4)), r"“extra.weight”, of shape \(4, 4\), is none of embedding, cells and head"),
        (lambda: nn.Sequential(nn.Linear(3, 3)), "no recurrent layer is in the file: none of its 2 arrays .* named weight_hh"),
        (lambda: nn.TransformerEncoderLayer(4, 2), "no recurrent layer .* transformer, which is not supported"),
        (lambda: nn.Sequential(nn.Conv1d(3, 3, 3)), "no recurrent layer .* convolutional, which is not supported"),
        (lambda: nn.LSTM(5, 6), "the file has no head: none of its other matrices has 6 columns"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(make: Callable[[], nn.Module], sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        read(saved(make().state_dict()))


@pytest.mark.parametrize("where, said", [("last", "the last row of"), ("first", "the first row of .*, all zeros")])
def test_an_embedding_with_a_row_for_none_beside_a_head_without(where: str, said: str) -> None:
    module = net(nn.LSTM, 6)  # as wide as the cells, so that the head could be the embedding by its shape
    state = module.state_dict()
    rows, none = state["embed.weight"], torch.zeros(1, 6) if where == "first" else torch.randn(1, 6)
    draft = read(saved({**state, "embed.weight": torch.cat([none, rows] if where == "first" else [rows, none])}))
    same(module, draft)
    assert re.search(f"{said} “embed.weight”|{said}", draft.ignored[0])


@pytest.mark.parametrize(
    "change",
    [lambda w: w.to(torch.complex64), lambda w: w.to(torch.float8_e4m3fn), lambda w: w.to("meta"), torch.Tensor.to_sparse],
)  # fmt: skip
def test_numbers_of_kinds_that_can_not_be_read_are_named(change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    state = {name: change(w) for name, w in net().state_dict().items()}
    with pytest.raises(ConvertError, match=r"“embed.weight” is quantised.*\(11 such arrays\): save the weights as float32"):
        read(saved(state))


def test_a_tensor_alone_is_no_model() -> None:
    with pytest.raises(ConvertError, match="a single array and no names"):
        read(saved(torch.zeros(5)))


def changed(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    return {**net().state_dict(), **{name.replace("__", "."): value for name, value in more.items()}}


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"fc__weight": torch.zeros(2, 6), "fc__bias": torch.zeros(2)}, "“fc.weight” predicts 2 symbols, but .* knows 27"),
        ({"fc__weight": torch.zeros(9, 6), "fc__bias": torch.zeros(9), "fc2__weight": torch.zeros(27, 9)}, "several layers"),
        ({"rnn__weight_hh_l1": torch.zeros(12, 3)}, "layers of “rnn” have different sizes"),
        ({"rnn__weight_hh_l0": torch.zeros(13, 6)}, "has weight_hh of 13 × 6"),
        ({"rnn__weight_ih_l3": torch.zeros(24, 6)}, "has layers 0, 1, 3: one is missing"),
        ({"rnn__bias_ih_l0": torch.zeros(7)}, r"bias_ih of layer 0 of “rnn” has shape \(7,\)"),
        ({"fc__weight": torch.full((27, 6), float("nan"))}, "head.weight holds numbers that are not finite"),
        ({"deep__weight_hh_l0": torch.zeros(9, 3), "deep__weight_ih_l0": torch.zeros(9, 3)}, "several recurrent modules"),
        (None, "no arrays at all"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(changes: dict[str, torch.Tensor] | None, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        read(saved({} if changes is None else changed(**changes)))


def test_two_matrices_that_could_both_be_the_head() -> None:
    state = net(nn.LSTM, None, names=("", "rnn", "a")).state_dict()
    with pytest.raises(ConvertError, match="“a.weight” and “b.weight” could both be the head"):
        read(saved({**state, "b.weight": state["a.weight"], "b.bias": state["a.bias"]}))


def test_an_rnn_of_relu_is_refused_where_the_file_tells(elsewhere: Callable[..., bytes]) -> None:
    with pytest.raises(ConvertError, match="activation is .*relu; tanh alone is supported"):
        read(elsewhere(net(nn.RNN, nonlinearity="relu")))


def test_an_rnn_is_taken_for_one_of_tanh_and_that_is_said() -> None:
    assert "tanh, nn.RNN's own, unless" in dict(read(saved(net(nn.RNN).state_dict())).detected)["activations"]


def test_a_model_of_words_is_refused() -> None:
    words = [f"word{k}" for k in range(27)]
    with pytest.raises(ConvertError, match="reads words or parts of them .*, not characters"):
        read(saved({"itos": words, "model": net().state_dict()}))


def test_older_forms_are_refused_with_the_way_out() -> None:
    with pytest.raises(ConvertError, match="tar archive.*save model.state_dict\\(\\) anew with torch.save"):
        read(b"sys_info".ljust(257, b"\0") + b"ustar\x00" + bytes(300))


def test_a_torchscript_program_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("model/data.pkl", "model/code/__torch__.py", "model/constants.pkl"):
            archive.writestr(name, b"\x80\x02}.")
    with pytest.raises(ConvertError, match="TorchScript program, which would have to be run"):
        read(buffer.getvalue())


# Hostile and damaged files


class Malicious:
    """What a pickle can do when it is believed: call anything."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "run")


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_is_run(tmp_path: Path, zipped: bool) -> None:
    module = net()
    mark = tmp_path / "mark"
    data = saved({"a": Malicious(mark), "model": module.state_dict()}, _use_new_zipfile_serialization=zipped)
    same(module, read(data))
    assert not mark.exists()
    torch.load(io.BytesIO(data), weights_only=False)  # torch believes it: so the file is one that would have
    assert mark.read_text() == "run"


def test_nothing_is_imported() -> None:
    sys.modules.pop("antigravity", None)
    pickled = b"\x80\x02cantigravity\nfly\n)R."
    with pytest.raises(ConvertError):
        read(pickled)
    assert "antigravity" not in sys.modules


def archive(pickled: bytes, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a/data.pkl", pickled)
        for name, data in members.items():
            zipped.writestr(f"a/data/{name}", data)
    return buffer.getvalue()


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive(b"\x80\x02}.", x=bytes(100 << 20))
    assert len(bomb) < 1 << 20
    unpacked: list[str] = []
    whole = zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile, "open", lambda self, name, *a, **k: unpacked.append(name) or whole(self, name, *a, **k)
    )
    with pytest.raises(ConvertError, match="unpacks to 2 entries of 100 MB; at most"):
        read(bomb)
    assert unpacked == []
    read(saved(net().state_dict()))
    assert unpacked


def test_an_array_larger_than_its_storage_is_refused() -> None:
    state = net().state_dict()
    state["rnn.weight_hh_l0"] = torch.zeros(1).expand(1 << 20, 1 << 20)
    with pytest.raises(ConvertError):
        read(saved(state))
    state = net().state_dict()
    state["embed.weight"] = torch.zeros(1).expand(1 << 20, 5)
    state["fc.weight"], state["fc.bias"] = torch.zeros(1).expand(1 << 20, 6), torch.zeros(1).expand(1 << 20)
    with pytest.raises(ConvertError, match="weights; at most|vocabulary = 1,048,576"):
        read(saved(state))


def deep(levels: int) -> bytes:
    return b"\x80\x02" + b"]" * levels + b"a" * (levels - 1) + b"."


SHARED_TUPLES = b"\x80\x02)q\x00" + b"".join(b"h%ch%c\x86q%c" % (k, k, k + 1) for k in range(90))


@pytest.mark.parametrize(
    "pickled, sentence",
    [
        (deep(100_000), "nested too deeply"),
        (b"\x80\x02]q\x00h\x00a.", "no arrays"),  # a list that holds itself
        (SHARED_TUPLES + b".", "no arrays|nested"),  # 2 ** 90 tuples, if they were not shared
        (b"\x80\x02}(" + SHARED_TUPLES[2:] + b"K\x01u.", "no arrays|nested|damaged"),  # the same as a key: slow to hash
        (b"\x80\x02r\xff\xff\xff\xff.", "never made"),
        (b"\x80\x02X\xff\xff\xff\xff", "more than 64 MB"),
        (b"\x80\x05\x8d" + b"\xff" * 8, "more than 64 MB"),
        (b"\x80\x05\x96" + (1 << 62).to_bytes(8, "little"), "more than 64 MB"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f", "more than 64 MB"),
        (b"\x80\x02" + b"K\x01" * 1_100_000, "more than 1,000,000 operations"),
        (b"\x80\x02\x82\x01.", "registry of extensions"),
        (b"\x80\x05\x97.", "out-of-band buffers"),
        (b"\x80\x09N.", "no format|protocol"),
        (b"\x80\x02", "ends in its middle"),
        (b"\x80\x02)R.", "damaged"),
    ],
)
def test_pickles_that_are_made_to_hurt_get_a_sentence(pickled: bytes, sentence: str) -> None:
    for data in (pickled, archive(pickled)):
        with pytest.raises(ConvertError, match=sentence):
            read(data)


def wounded(data: bytes, seed: int) -> bytes:
    """The same bytes, cut short, with some bits turned, or with a piece of them somewhere else."""
    chance = random.Random(seed)
    wounds = bytearray(data)
    if seed % 3 == 0:
        return bytes(wounds[: chance.randrange(len(wounds))])
    if seed % 3 == 1:
        for _ in range(chance.choice([1, 4, 64])):
            wounds[chance.randrange(len(wounds))] ^= 1 << chance.randrange(8)
        return bytes(wounds)
    start, length, to = (chance.randrange(len(wounds)) for _ in range(3))
    wounds[to : to + length % 200] = wounds[start : start + length % 200]
    return bytes(wounds)


@cache
def undamaged(kind: str) -> bytes:
    if kind == "zip":
        return saved(trained(net(nn.GRU), chars=list(CHARACTERS)))
    if kind == "before 1.6":
        return saved(trained(net(nn.LSTM), chars=CHARACTERS), _use_new_zipfile_serialization=False)
    return saved(net(nn.LSTM)) if kind == "module" else pickle.dumps(net(nn.GRU).state_dict())


@pytest.mark.parametrize("kind", ["zip", "before 1.6", "module", "pickle"])
@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=examples(150))
def test_a_damaged_file_gets_a_sentence(kind: str, seed: int) -> None:
    wounded_or_whole(wounded(undamaged(kind), seed))


@needs_the_real_file
@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=examples(25))
def test_the_real_file_damaged_gets_a_sentence(seed: int) -> None:
    wounded_or_whole(wounded(REAL.read_bytes(), seed))


def wounded_or_whole(data: bytes) -> None:
    """A draft where the wound is no matter; else ConvertError, in one line."""
    sentence = "none"
    try:
        assert isinstance(read(data), Draft)
    except ConvertError as error:
        sentence = str(error)
    assert sentence and len(sentence.splitlines()) == 1


@given(st.binary(max_size=200))
@settings(max_examples=examples(100))
def test_any_bytes_get_a_sentence(data: bytes) -> None:
    for start in (b"", b"\x80\x02", b"\x80\x05", b"(d", b"PK\x03\x04"):
        wounded_or_whole(start + data)


PIECES = [bytes([k]) for k in b"NIJKMGUXB(]})tlde\x85\x86\x87asu02qhr\x94cR\x81bQ\x93o\x8f\x90\x91"]
PIECES += [b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n", b"ccollections\nOrderedDict\n", b"U\x07storage"]
PIECES += [b"U\x010", b"U\x03cpu", b"K\x00", b"K\x04", b"K\x02K\x02\x86", b"\x89", b"U\x0bweight_hh_l0", b"\x8c\x05state"]
OPCODES = st.lists(st.sampled_from(PIECES), max_size=60)


@given(OPCODES)
@settings(max_examples=examples(100))
def test_any_program_of_opcodes_gets_a_sentence(parts: list[bytes]) -> None:
    pickled = b"\x80\x04" + b"".join(parts) + b"."
    wounded_or_whole(pickled)
    wounded_or_whole(archive(pickled, **{"0": bytes(16)}))
