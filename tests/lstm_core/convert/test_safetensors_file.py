"""Safetensors of torch's modules, whatever the names; damaged ones get a sentence."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import lstm_core as lc
from lstm_core import convert
from lstm_core.convert import ConvertError, Draft
from tests.examples import examples

CHARACTERS = "zyxwvutsrqponmlkjihgfedcba "
TEXT = "the clouds are in the sky"


def parts(width: int = 5) -> tuple[nn.Embedding, nn.GRU, nn.Linear]:
    torch.manual_seed(0)
    return nn.Embedding(27, width), nn.GRU(width, 6, 2), nn.Linear(6, 27)


def saved(width: int = 5, dtype: torch.dtype = torch.float32, metadata: dict[str, str] | None = None) -> bytes:
    state = {f"{name}.{k}": v for name, part in zip(("emb", "gru", "out"), parts(width)) for k, v in part.state_dict().items()}
    return safetensors.torch.save({k: v.to(dtype) for k, v in state.items()}, metadata)


@pytest.mark.parametrize("width", [5, 6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_it_predicts_what_the_module_did(dtype: torch.dtype, width: int) -> None:
    draft = convert.read(saved(width, dtype, {"chars": json.dumps(list(CHARACTERS))}), "model.bin")
    assert (draft.source, draft.vocabulary) == ("safetensors", lc.Vocabulary(CHARACTERS))
    embedding, gru, head = (part.to(dtype).float() for part in parts(width))
    model = draft.model()
    with torch.inference_mode():
        wanted = head(gru(embedding(torch.from_numpy(model.vocabulary.ids(TEXT))))[0]).softmax(-1).numpy()
    np.testing.assert_allclose(lc.trace(model, TEXT).probs, wanted, rtol=0, atol=1e-5)


def test_tied_weights_of_which_one_is_kept(tmp_path) -> None:
    embedding, gru, head = parts(6)
    head.weight = embedding.weight
    module = nn.ModuleDict({"emb": embedding, "gru": gru, "out": head})
    safetensors.torch.save_model(module, tmp_path / "tied.safetensors")
    draft = convert.read((tmp_path / "tied.safetensors").read_bytes(), "tied.safetensors")
    np.testing.assert_array_equal(draft.parameters["embedding.weight"], draft.parameters["head.weight"])
    np.testing.assert_array_equal(draft.parameters["head.bias"], head.bias.detach().numpy())


def test_a_model_of_ours_needs_no_conversion(tmp_path, make_model) -> None:
    lc.save(make_model(), tmp_path / "ours.safetensors")
    with pytest.raises(ConvertError, match="is a model of Gatescope's own"):
        convert.read((tmp_path / "ours.safetensors").read_bytes(), "ours.safetensors")


def made(header: object, data: bytes = bytes(64)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize("header, sentence", [
    (b"{" + b" " * 99, "header of 'x' is no JSON object"),
    (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "no JSON object"),
    ({"weight_hh_l0": 3}, "the header describes 'weight_hh_l0' in a way that can't be read"),
    ({"weight_hh_l0": {"shape": [-4, 1], "dtype": "F32", "data_offsets": [0, 16]}}, "can't be read"),
    ({"weight_hh_l0": {"shape": [True, 1], "dtype": "F32", "data_offsets": [0, 16]}}, "can't be read"),
    ({f"a{k}": {"shape": [1], "dtype": "F32", "data_offsets": [0, 4]} for k in range(5000)}, "holds 5,000 arrays"),
])  # fmt: skip
def test_headers_that_are_made_to_hurt(header: object, sentence: str) -> None:
    with pytest.raises(ConvertError, match=sentence):
        convert.read(made(header), "x")


def test_arrays_that_are_not_there() -> None:
    sizes = {"emb.weight": (27, 5), "gru.weight_ih_l0": (18, 5), "gru.weight_hh_l0": (18, 6), "out.weight": (27, 6)}
    for offsets, dtype, sentence in (([0, 540], "F32", "not as many numbers"), ([0, 1], "I4", "kind 'I4'")):
        header = {n: {"shape": s, "dtype": dtype, "data_offsets": offsets} for n, s in sizes.items()}
        with pytest.raises(ConvertError, match=sentence):
            convert.read(made(header), "x")


WHOLE = saved(metadata={"chars": CHARACTERS})


@given(st.integers(0, 1 << 32))
@settings(max_examples=examples(200))
def test_a_damaged_file_gets_a_sentence(seed: int) -> None:
    chance, wounds = random.Random(seed), bytearray(WHOLE)
    header = 8 + int.from_bytes(WHOLE[:8], "little")
    for _ in range(chance.choice([1, 3, 30])):
        wounds[chance.randrange(chance.choice([8, header, len(wounds)]))] ^= 1 << chance.randrange(8)
    damaged = bytes(wounds[: chance.randrange(len(wounds))]) if seed % 3 == 0 else bytes(wounds)
    sentence = "none"
    try:
        assert isinstance(convert.read(damaged, "x"), Draft)
    except ConvertError as error:
        sentence = str(error)
    assert sentence and len(sentence.splitlines()) == 1
