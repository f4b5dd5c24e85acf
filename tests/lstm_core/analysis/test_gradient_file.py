"""Gradients taken away hold every number, and what explains them."""

from __future__ import annotations

import io
import json

import numpy as np

import lstm_core as lc
from lstm_core.analysis.gradient_file import to_npz
from lstm_core.analysis.gradients import gradients


def test_everything_is_in_the_file_and_nothing_needs_a_pickle(make_model) -> None:
    model = make_model("lstm", layers=2)
    trace = lc.trace(model, "what was it")
    found = gradients(model, trace, [3, 7, 10])
    with np.load(io.BytesIO(to_npz(found, trace.vocabulary.characters, 5)), allow_pickle=False) as file:
        metadata = json.loads(str(file["metadata"]))
        assert metadata["states"] == ["hidden", "cell"] or metadata["states"] == ["cell", "hidden"]
        assert (metadata["model"], metadata["start"], metadata["direct"]) == (model.name, 5, ["cell"])
        for name in metadata["states"]:
            np.testing.assert_array_equal(file[f"norms_{name}"], found.norms[name])
        np.testing.assert_array_equal(file["direct_cell"], found.direct["cell"])
        np.testing.assert_array_equal(file["characters"], found.characters)
        assert file["targets"].tolist() == [3, 7, 10]
        assert "".join(map(chr, file["chars"])) == trace.text
        aims = "".join(metadata["vocabulary"][aim] for aim in file["aims"])
        assert aims[:2] == trace.text[4] + trace.text[8]
        assert all(name in str(file["README"]) for name in ("targets", "aims", "norms_NAME", "direct_NAME", "characters"))
