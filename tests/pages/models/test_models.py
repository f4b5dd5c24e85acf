"""Models: what is listed, and somebody's checkpoint all the way from the file to the other pages, or to one sentence."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tempfile
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core.convert.draft import LARGEST_FILE
from pages.common import components, own_models
from pages.common.models import bring as models_bring
from pages.common.models import file as models_file
from tests.pages import conftest

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "data" / "checkpoints"
SORTED = "the text's characters, sorted"


def open_models(entry: str = "app.py") -> AppTest:
    app = AppTest.from_file(str(ROOT / entry), default_timeout=60)
    if entry == "app.py":
        app.switch_page("pages/models.py")
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    return conftest.words(app, "text", "success", "warning", "error")


def written(app: AppTest) -> str:
    return " ".join(element.value for element in (*app.markdown, *app.caption)).replace("\\", "")


def uploader(app: AppTest, label: str):
    return next(each for each in app.file_uploader if each.label.startswith(label))


def upload(app: AppTest, name: str, data: bytes, beside: list[tuple[str, bytes]] | None = None) -> AppTest:
    for file, content in beside or []:
        uploader(app, "Beside it").upload(file, content)
    uploader(app, "Checkpoint").set_value((name, data, "")).run()
    assert not app.exception, app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def bring(app: AppTest, checkpoint: tuple[bytes, str], name: str = "poet.pt") -> AppTest:
    """All the way: the file, its characters, the proof, and in use."""
    data, text = checkpoint
    upload(app, name, data)
    uploader(app, "A text").set_value(("poems.txt", text.encode(), "text/plain")).run()
    app.radio[0].set_value(SORTED).run()
    press(app, "bring_proof")
    return press(app, "bring_use")


# What is listed


@pytest.mark.parametrize("entry", ["app.py", "pages/models.py"])
def test_every_shipped_model_stands_in_the_table_with_its_losses(entry: str) -> None:
    app = open_models(entry)
    table = app.dataframe[0].value.set_index("model")
    assert list(table.index) == [info.name for info in lc.models()]
    for info in lc.models():
        assert table.loc[info.name, "loss"] == info.card["held_out_loss"]
        assert table.loc[info.name, "parameters"] == sum(p.numel() for p in lc.load(info.name).parameters())


def test_a_model_shows_how_it_was_made_and_leads_to_the_pages() -> None:
    app = open_models()
    app.selectbox(key="models: looked at").set_value("family-gru").run()
    assert [code.value for code in app.code] == ["python -m lstm_core train family-gru --corpus warandpeace.txt"]
    assert "2f4885a73244ab92" in written(app)
    app.selectbox(key="models: looked at").set_value("python-lstm").run()
    assert [code.value for code in app.code] == ["python -m lstm_core train python-lstm"]
    for page in ("Gates", "Inside", "Compare"):
        fresh = open_models()
        fresh.selectbox(key="models: looked at").set_value("family-gru").run()
        press(fresh, f"open_{page}")
        assert fresh.session_state["selection"].model == "family-gru"
        assert any("ertified" in caption.value for caption in fresh.caption), page
    assert "family-gru" in fresh.session_state["compare"].models


# From the file to the pages


def test_a_checkpoint_is_shown_chosen_proved_and_used(checkpoint_that_reads: tuple[bytes, str]) -> None:
    data, text = checkpoint_that_reads
    app = upload(open_models(), "poet_1.pt", data)
    found = written(app)
    for detected in ("LSTM: nn.LSTM", "1 × 64 units", "i, f, g, o (PyTorch's)", "embedding", "b_ih and b_hh"):
        assert detected in found, detected
    assert 'data-cell="lstm"' in found, "the detected cell is drawn"
    assert not app.radio and "bring_proof" not in keys(app), "no list in common use fits, and none is taken in silence"
    assert f"No list in common use has {len(set(text))} characters" in said(app)
    uploader(app, "A text").set_value(("poems.txt", text.encode(), "text/plain")).run()
    assert app.radio[0].value is None and "bring_proof" not in keys(app), "offered, not chosen"
    app.radio[0].set_value(SORTED).run()
    assert "bring_use" not in keys(app), "it is not used before it was tried"
    press(app, "bring_proof")
    assert "This model reads" in said(app) and app.success
    press(app, "bring_use")
    assert "mine: poet-1 is now among the models of every page" in said(app)
    assert app.selectbox(key="models: looked at").value == "mine: poet-1"
    assert "poems.txt" in written(app) and SORTED in written(app)
    press(app, "open_Gates")
    assert app.session_state["selection"].model == "mine: poet-1"
    assert any("Certified" in caption.value and "mine: poet-1" in caption.value for caption in app.caption)
    assert app.session_state["stage"].shown.model == "mine: poet-1"


def test_other_pages_show_it_without_knowing(checkpoint_that_reads: tuple[bytes, str]) -> None:
    app = bring(open_models(), checkpoint_that_reads)
    press(app, "open_Compare")
    for page in ("gates", "inside", "compare", "long_range"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, (page, app.exception)
        shown = [app.session_state["selection"].model, *app.session_state["compare"].models]
        assert shown.count("mine: poet") == 2, page


def test_the_wrong_characters_are_told_and_may_be_used_all_the_same(checkpoint_that_reads: tuple[bytes, str]) -> None:
    data, text = checkpoint_that_reads
    app = upload(open_models(), "poet.pt", data)
    uploader(app, "A text").set_value(("poems.txt", text.encode(), "text/plain")).run()
    app.radio[0].set_value("the text's characters, the most frequent first").run()
    press(app, "bring_proof")
    assert "paired with the wrong vocabulary" in said(app) and app.error
    assert app.button(key="bring_use").label == "Use it all the same"
    app.radio[0].set_value(SORTED).run()
    assert "bring_use" not in keys(app), "another list must be proved anew"


def test_a_list_beside_the_file_and_a_text_of_ones_own(checkpoint_that_reads: tuple[bytes, str]) -> None:
    data, text = checkpoint_that_reads
    listed = json.dumps({c: k for k, c in enumerate(sorted(set(text)))}).encode()
    app = upload(open_models(), "poet.pt", data, [("vocab.json", listed)])
    assert app.radio[0].value is None and app.radio[0].options
    app.radio[0].set_value("vocab.json").run()
    app.button_group[0].set_value("own").run()
    assert "200 characters" in written(app)
    app.text_area[0].set_value("too short").run()
    press(app, "bring_proof")
    assert "A proof needs 200 characters or more; the text has 9" in said(app)
    app.text_area[0].set_value(text[:3000]).run()
    press(app, "bring_proof")
    assert "This model reads" in said(app)


def test_our_own_file_comes_back_as_it_was(checkpoint_that_reads: tuple[bytes, str]) -> None:
    app = bring(open_models(), checkpoint_that_reads)
    own: own_models.Own = app.session_state[own_models.KEY].models["mine: poet"]
    data = own_models.as_file(own.model)
    again = models_file.read(data, "poet.safetensors", {})
    assert again.ours is not None and again.ours.name == "poet" and "proof" in again.ours.card
    for name, tensor in again.ours.state_dict().items():
        assert torch.equal(tensor, own.model.state_dict()[name]), name
    app = upload(open_models(), "poet.safetensors", data)
    assert app.radio[0].value == models_file.OWN_CHARACTERS, "what the file names is no guess"
    press(app, "bring_proof")
    assert "This model reads" in said(app)
    press(app, "bring_use")
    assert "mine: poet is now among the models" in said(app)


def test_shipped_files_may_be_brought_too() -> None:
    app = upload(open_models(), "a.safetensors", (ROOT / "assets/models/family-rnn.safetensors").read_bytes())
    assert "Gatescope's own safetensors" in written(app) and 'data-cell="rnn"' in written(app)


def test_a_model_that_reads_bytes_stands_on_every_page() -> None:
    torch.manual_seed(0)
    net = {"e": torch.nn.Embedding(256, 8), "gru": torch.nn.GRU(8, 12, 2), "out": torch.nn.Linear(12, 256)}
    file = io.BytesIO()
    torch.save(torch.nn.ModuleDict(net).state_dict(), file)
    app = upload(open_models(), "bytes.pth", file.getvalue())
    app.radio[0].set_value("bytes").run()
    press(app, "bring_proof")
    press(app, "bring_use")
    press(app, "open_Gates")
    for text, problem in (("日" * 10_000, "The text has 30,000 bytes; at most 20,000"), ("né “日” 👍\nשלום", "")):
        conftest.say(app, text=text)
        app.switch_page("pages/gates.py").run()
        assert not app.exception, app.exception
        assert problem in app.session_state["stage"].problem and bool(problem) == bool(app.session_state["stage"].problem)
    for page in ("inside", "compare", "long_range", "models", "gates"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
    assert app.session_state["selection"].text == "né “日” 👍\nשלום"


# What is no model


class Runs:
    """A pickle of it would write a file where it is opened."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (exec, (f"open({self.path!r}, 'w').close()",))


@cache
def bomb() -> bytes:
    """80 MB, packed into 80 kB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weight_ih.npy", b"\0" * (80 << 20))
    return file.getvalue()


def hostile(path: str) -> dict[str, bytes]:
    whole = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, whole)
    runs = io.BytesIO()
    torch.save({"state_dict": Runs(path)}, runs, pickle_module=pickle)
    claims = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40, 4], "data_offsets": [0, 1 << 44]}}).encode()
    return {
        "nothing.pt": b"",
        "noise.bin": np.random.default_rng(0).bytes(4096),
        "cut.pt": whole.getvalue()[: len(whole.getvalue()) // 2],
        "runs.pt": runs.getvalue(),
        "plain.pkl": pickle.dumps(Runs(path)),
        "claims.safetensors": struct.pack("<Q", len(claims)) + claims,
        "bomb.npz": bomb(),
        "tensor.pt": whole.getvalue(),
        "text.txt": b"To be, or not to be",
        "../../odd \u202e name.h5": b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
    }


def test_what_can_not_be_read_gets_a_sentence_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    app = open_models()
    for name, data in hostile(str(mark)).items():
        upload(app, name, data)
        assert said(app).startswith("⚠") and len(said(app)) < 400, name
        assert "bring_proof" not in keys(app), name
        assert not mark.exists(), name
        uploader(app, "Checkpoint").clear().run()
        assert not said(app), f"{name}: the next sentence is of the next file"


def test_the_last_file_that_was_read_stays(checkpoint_that_reads: tuple[bytes, str]) -> None:
    app = upload(open_models(), "poet.pt", checkpoint_that_reads[0])
    upload(app, "noise.bin", b"\x80\x04 what")
    assert "the last file that could be read, poet.pt" in said(app)
    assert "1 × 64 units" in written(app)
    uploader(app, "Checkpoint").clear().run()
    assert "1 × 64 units" not in written(app) and "noise.bin" not in said(app)


def test_a_card_of_ours_is_not_believed(tmp_path: Path) -> None:
    model = lc.load("family-rnn")
    model.card = {"source": {"a": 1}, "file": 7, "proof": {"loss": "x"}, "detected": [1], "corpus": "**b**", "seconds": "soon"}
    lc.save(model, tmp_path / "odd.safetensors")
    app = upload(open_models(), "odd.safetensors", (tmp_path / "odd.safetensors").read_bytes())
    press(app, "bring_proof")
    press(app, "bring_use")
    assert "mine: family-rnn is now among the models" in said(app)
    assert any(r"\*\*b\*\*" in element.value for element in app.markdown)


def test_half_a_surrogate_pair_in_a_file_of_ours_gets_a_sentence() -> None:
    data = (ROOT / "assets/models/family-rnn.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    ours = json.loads(header["__metadata__"]["gatescope"])
    ours["vocabulary"][-1] = "\ud800"
    header["__metadata__"]["gatescope"] = json.dumps(ours)
    changed = json.dumps(header).encode()
    app = upload(open_models(), "odd.safetensors", struct.pack("<Q", len(changed)) + changed + data[8 + size :])
    assert "“odd.safetensors” knows half of a surrogate pair as a character" in said(app)


def test_the_server_takes_files_as_large_as_are_read() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert settings["server"]["maxUploadSize"] << 20 == LARGEST_FILE


def test_nothing_of_it_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = (ROOT / "assets/models/family-rnn.safetensors").read_bytes()
    found = models_file.read(data, "a.safetensors", {})
    assert found.ours is not None and len(own_models.as_file(found.ours)) > 1000
    with pytest.raises(lc.CheckpointError, match="a-b.safetensors"):
        models_file.read(data[:-8], "../a b.safetensors", {})
    assert list(tmp_path.iterdir()) == []


def test_too_large_a_list_beside_is_refused() -> None:
    with pytest.raises(lc.ConvertError, match="at most 1 MB"):
        models_file.read(b"", "a.pt", {"chars.txt": b"a" * ((1 << 20) + 1)})
    with pytest.raises(lc.ConvertError, match="9 files were given along"):
        models_file.read(b"", "a.pt", {f"{k}.txt": b"a" for k in range(9)})


# Whose it is


def test_another_session_sees_nothing_of_it(checkpoint_that_reads: tuple[bytes, str], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict] = []
    mount = components.mount
    monkeypatch.setattr(components, "mount", lambda name, **how: (sent.append(how["data"]), mount(name, **how))[1])
    first = bring(open_models(), checkpoint_that_reads)
    press(first, "open_Gates")
    link = dict(first.session_state["address"])
    assert "mine: poet" in [model["name"] for model in sent[-1]["stage"]["models"]] and len(sent[-1]["file"]) > 1000
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    other.query_params.update(link)
    other.run()
    assert not other.exception
    assert "“mine: poet”, which is not here: it stays in the session that brought it" in said(other)
    assert "mine: poet" not in [model["name"] for model in sent[-1]["stage"]["models"]] and "file" not in sent[-1]
    other.switch_page("pages/models.py").run()
    assert "mine: poet" not in list(other.dataframe[0].value["model"])


def test_two_sessions_may_have_models_of_one_name(checkpoint_that_reads: tuple[bytes, str]) -> None:
    first = bring(open_models(), checkpoint_that_reads)
    press(first, "open_Gates")
    second = upload(open_models(), "poet.pt", (ROOT / "assets/models/family-rnn.safetensors").read_bytes())
    press(second, "bring_proof")
    second.text_input[0].set_value("poet").run()
    press(second, "bring_use")
    press(second, "open_Gates")
    seals = [next(c.value for c in app.caption if "Certified" in c.value) for app in (first, second)]
    assert "torch's own lstm kernel" in seals[0] and "torch's own rnn_tanh kernel" in seals[1]


def test_renaming_and_removing(checkpoint_that_reads: tuple[bytes, str]) -> None:
    app = bring(open_models(), checkpoint_that_reads)
    press(app, "open_Compare")
    app.switch_page("pages/models.py").run()
    app.text_input(key="rename_mine: poet").set_value("a *new* name:_x_").run()
    press(app, "model_rename")
    assert app.selectbox(key="models: looked at").value == "mine: a -new- name-x"
    assert app.session_state["selection"].model == "mine: a -new- name-x"
    for page in ("compare", "gates", "models"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
    press(app, "model_remove")
    assert "was removed" in said(app)
    assert list(app.dataframe[0].value["model"]) == [info.name for info in lc.models()]
    for page in ("gates", "compare", "inside", "long_range"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        assert app.session_state["selection"].model == lc.models()[0].name
    assert not app.session_state[own_models.KEY].results


# The real ones


def real(name: str) -> bytes:
    path = REAL / name
    if not path.is_file():
        pytest.skip(f"{name} is not here: it lies in ../shared/data/checkpoints")
    return path.read_bytes()


def test_a_public_pytorch_module_reads() -> None:
    app = upload(open_models(), "hidden_size_100.pt", real("pytorch_gru2x100/hidden_size_100.pt"))
    assert "2 × 100 units" in written(app) and 'data-cell="gru_pytorch"' in written(app)
    app.radio[0].set_value("Python's string.printable").run()
    press(app, "bring_proof")
    assert "This model reads" in said(app)


def test_a_public_keras_file_follows_its_hard_sigmoid() -> None:
    listed = "".join(map(chr, range(33, 93))).encode()
    app = upload(open_models(), "shakespeare.h5", real("keras2_lstm120_shakespeare/shakespeare.h5"), [("chars.txt", listed)])
    assert "hard sigmoid clip(0.2x + 0.5)" in written(app) and "hard σ" in written(app)
    app.radio[0].set_value("chars.txt").run()
    press(app, "bring_proof")
    assert app.error, "these are not its characters"
    press(app, "bring_use")
    press(app, "open_Gates")
    assert any("Certified" in caption.value for caption in app.caption)


def test_a_large_model_is_tried_on_less(monkeypatch: pytest.MonkeyPatch, checkpoint_that_reads: tuple[bytes, str]) -> None:
    monkeypatch.setattr(models_bring, "LARGE", 1000)
    data, text = checkpoint_that_reads
    app = upload(open_models(), "poet.pt", data)
    uploader(app, "A text").set_value(("poems.txt", text.encode(), "text/plain")).run()
    app.radio[0].set_value(SORTED).run()
    press(app, "bring_proof")
    judged = app.session_state[models_bring.KEY].judged
    assert judged.proof.steps == 1499 and len(judged.written) == 60
