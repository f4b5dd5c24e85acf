"""The command line: what it prints and where, its exit codes, and what becomes of a run that is interrupted."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_core as lc
from lstm_core import command_line, corpora, model_file, ngrams, training
from lstm_core.__main__ import main
from lstm_core.errors import InputError
from lstm_core.ngrams import ngram_loss
from lstm_core.recipes import SHIPPED, Recipe
from lstm_core.training import fit, held_out_loss

ROOT = Path(__file__).parents[2]
TEXT = "the clouds are in the sky, and the sky is blue. " * 60
COMMANDS = ("train", "evaluate", "sample", "trace", "models", "ngrams")
QUICK = ("--units", "8", "--passes", "1", "--streams", "4", "--window", "16", "--validations", "2")

Capture = pytest.CaptureFixture[str]


def trained(name: str, corpus: corpora.Corpus) -> lc.CharModel:
    run = fit(corpus, Recipe(units=8, streams=4, window=16, passes=1, validations=2), name=name)
    while True:
        try:
            next(run)
        except StopIteration as finished:
            return finished.value


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clouds.txt, and clouds-lstm.safetensors that was trained on it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "clouds.txt").write_text(TEXT)
    lc.save(trained("clouds-lstm", corpora.from_file(folder / "clouds.txt")), folder / "clouds-lstm.safetensors")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh current folder with the same two files; the shipped models are those of this folder too."""
    for path in made.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model_file, "SHIPPED_MODELS", tmp_path)
    return tmp_path


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> corpora.Corpus:
    """A short text in the place of the standard library."""
    corpus = corpora.from_text("def cloud(sky):\n    return sky.blue\n\n\n" * 60, "Python 3.0.0 standard library")
    monkeypatch.setattr(corpora, "standard_library", lambda: corpus)
    return corpus


def usage(*argv: str) -> int:
    """The exit code of a command that argparse, or the command itself, does not understand."""
    try:
        return main(argv)
    except SystemExit as stopped:
        return int(stopped.code or 0)


def process(*argv: str, cwd: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lstm_core", *argv],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_ctrl_c,
    )


def hear_ctrl_c() -> None:
    """A job in the background is started deaf to Ctrl-C, and so would be what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# errors


def _raising(error: Exception) -> Callable[..., None]:
    def broken(*given: object) -> None:
        raise error

    return broken


def test_an_error_of_the_persons_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(ngrams, "losses_by_order", _raising(InputError("there is no order 7; there are 1 to 3")))
    assert main(["ngrams", "--corpus", "clouds.txt"]) == 1
    assert capsys.readouterr().err == "Error: there is no order 7; there are 1 to 3.\n"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("operands could not be broadcast together"),
        TypeError("NoneType"),
        FloatingPointError("underflow"),
        FileNotFoundError(2, "No such file or directory", "/elsewhere/none"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_bug_is_raised_and_not_put_on_the_person(error: Exception, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "losses_by_order", _raising(error))
    with pytest.raises(type(error)) as raised:
        main(["ngrams", "--corpus", "clouds.txt"])
    assert raised.value is error


def test_a_bug_is_a_traceback_and_code_1(folder: Path) -> None:
    broken = "from lstm_core import ngrams; ngrams.losses_by_order = None"
    code = f"{broken}; import sys; from lstm_core.__main__ import main; sys.exit(main(['ngrams', '--corpus', 'clouds.txt']))"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback") and "TypeError: 'NoneType' object is not callable" in ended.stderr


# help and usage


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str, capsys: Capture) -> None:
    assert usage(command, "--help") == 0
    shown = capsys.readouterr().out
    examples = re.findall(rf"^  python -m lstm_core {command}\b.*$", shown, re.MULTILINE)
    assert examples, "an example says more than a list of options"
    assert re.search(r"^[A-Z][^\n]+\.$", shown, re.MULTILINE), "it says in a sentence what it does"
    assert "%(" not in shown


def test_the_help_lists_the_commands(capsys: Capture) -> None:
    assert usage("--help") == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^    {command} ", shown, re.MULTILINE) for command in COMMANDS)


def test_the_list_of_commands_needs_no_library(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom lstm_core.__main__ import main\ntry: main(['--help'])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    loaded = set(done.stderr.split())
    assert "usage: python -m lstm_core" in done.stdout and "argparse" in loaded
    assert loaded.isdisjoint({"torch", "numpy", "streamlit", "plotly", "pyarrow"})


def test_a_commands_line_in_the_help_is_its_files_docstring() -> None:
    for name in command_line.names():
        assert command_line.line(name) == command_line.module(name).__doc__, name


def test_every_field_of_a_recipe_is_an_option(capsys: Capture) -> None:
    usage("train", "--help")
    shown = capsys.readouterr().out
    for field in fields(Recipe):
        flag = "--no-bias" if field.name == "bias" else f"--{field.name.replace('_', '-')}"
        assert re.search(rf"^  {flag} .*\n?.*[A-Z]", shown, re.MULTILINE), flag


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "required: COMMAND"),
        (("tarin",), "invalid choice: 'tarin'"),
        (("train", "family-lstn"), "invalid choice: 'family-lstn'"),
        (("train", "--units", "many"), "--units: invalid int value: 'many'"),
        (("train", "--cell", "lstn"), "--cell: invalid choice: 'lstn'"),
        (("train", "--units", "0"), "Error: units must be 1 or more, not 0."),
        (("train", "--learning-rate", "-1"), "Error: learning rate must be above 0, not -1.0."),
        (("train", "family-lstm"), "Error: family-lstm is trained on warandpeace.txt: say with --corpus where that file is."),
        (("train", "--output", "x.pt"), "Error: --output must end in .safetensors, and x.pt does not."),
        (("train", "--name", "../x"), "--name is the model's name, not a path, and '../x' is one"),
        (("evaluate",), "Error: say which model to judge, or --all."),
        (("evaluate", "--all", "clouds-lstm"), "--all judges every shipped model"),
        (("evaluate", "clouds-lstm"), "Error: clouds-lstm was trained on clouds.txt: say with --corpus where that file is."),
        (("evaluate", "clouds-lstm", "--streams", "0"), "--streams: 0 is not 1 or more"),
        (("sample", "clouds-lstm", "--length", "-1"), "--length: -1 is not 0 or more"),
        (("sample", "clouds-lstm", "--length", "x"), "--length: invalid whole number value: 'x'"),
        (("sample", "clouds-lstm", "--temperature", "nan"), "--temperature: nan is not 0 or more"),
        (("sample", "clouds-lstm", "--threads", "0"), "--threads: 0 is not 1 or more"),
        (("trace", "clouds-lstm", "-o", "x.npz"), "one of the arguments --text --text-file - is required"),
        (("trace", "clouds-lstm", "--text", "a", "--text-file", "b", "-o", "x.npz"), "not allowed with argument"),
        (("trace", "clouds-lstm", "--text", "a"), "required: -o/--output"),
        (("ngrams", "--orders", "0"), "--orders: 0 is not 1 or more"),
    ],
)
def test_wrong_usage_has_code_2_and_a_sentence(argv: tuple[str, ...], said: str, folder: Path, capsys: Capture) -> None:
    before = sorted(folder.iterdir())
    assert usage(*argv) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("train", "--corpus", "nothing.txt"), "Error: nothing.txt: No such file or directory."),
        (("train", "--corpus", "."), "Error: .: Is a directory."),
        (("train", "--corpus", "short.txt"), "at least 100 are needed to train and to judge."),
        (("train", "--corpus", "clouds.txt", "--streams", "500"), "need at least 33,000."),
        (
            ("train", "--corpus", "clouds.txt", "--output", "no/x.safetensors"),
            "there is no folder no to write x.safetensors to.",
        ),
        (("train", "--corpus", "clouds.txt", "--name", "clouds-lstm"), "clouds-lstm.safetensors exists already; name another"),
        (("evaluate", "nobody"), "Error: there is no model 'nobody'; shipped are clouds-lstm, or give a .safetensors file."),
        (("evaluate", "clouds-lstm", "--corpus", "nothing.txt"), "nothing.txt: No such file or directory."),
        (("sample", "texts/pickle.safetensors"), "pickle.safetensors is a pickle or a zip archive"),
        (("sample", "clouds-lstm", "--prompt", ""), "There is no text to read: type at least one character."),
        (("trace", "clouds-lstm", "--text-file", "long.txt", "-o", "x.npz"), "at most 20,000 can be read at once."),
        (("ngrams", "--corpus", "nothing.txt"), "nothing.txt: No such file or directory."),
    ],
)
def test_an_error_has_code_1_and_one_sentence(argv: tuple[str, ...], said: str, folder: Path, capsys: Capture) -> None:
    (folder / "short.txt").write_text("too short")
    (folder / "long.txt").write_text("a" * 20_001)
    (folder / "texts").mkdir()
    (folder / "texts" / "pickle.safetensors").write_bytes(b"\x80\x04rest")
    assert main(argv) == 1
    shown = capsys.readouterr()
    assert said in shown.err
    assert "Traceback" not in shown.err
    last = shown.err.splitlines()[-1]
    assert re.fullmatch(r"Error: .*[^.]\.", last)
    assert shown.out == ""
    assert not list(folder.glob("*.npz"))


# train


def test_train_writes_a_model_with_a_card(folder: Path, capsys: Capture) -> None:
    options = ("--cell", "coupled", "--layers", "2", "--embedding", "5", "--dropout", "0.1", "--seed", "3", "--clip", "0.5")
    more = (
        "--warmup",
        "3",
        "--forget-bias",
        "2",
        "--learning-rate",
        "0.01",
        "--no-bias",
        "--input-range",
        "none",
        "--weight-decay",
        "0.01",
    )
    assert main(["train", "--corpus", "clouds.txt", *QUICK, *options, *more]) == 0
    model = lc.load(folder / "coupled-2x8.safetensors")
    assert model.name == "coupled-2x8"
    assert Recipe(**model.card["recipe"]) == Recipe(
        cell="coupled", units=8, layers=2, embedding=5, bias=False, passes=1, streams=4, window=16, learning_rate=0.01,
        warmup=3, clip=0.5, dropout=0.1, forget_bias=2, input_range=None, weight_decay=0.01, validations=2, seed=3,
    )  # fmt: skip
    assert model.card["corpus"] == "clouds.txt"
    assert model.card["sha256"] == corpora.sha256_of(TEXT)
    shown = capsys.readouterr()
    assert shown.out.startswith(f"coupled-2x8.safetensors: held-out loss {model.card['held_out_loss']:.4f} nats per character")
    assert "Training coupled-2x8 (coupled, 2 x 8 units) on clouds.txt, 2,592 characters." in shown.err
    assert (
        len(re.findall(r"^step \d+ of 40: loss \d\.\d+, held-out \d\.\d+, [\d,]+ characters/s, 0:\d\d left$", shown.err, re.M))
        == 2
    )
    assert not list(folder.glob("*.resume"))


def test_train_takes_a_recipe_and_changes_it(folder: Path) -> None:
    assert main(["train", "family-gru", "--corpus", "clouds.txt", "--units", "8", "--passes", "1", "--seed", "2"]) == 0
    model = lc.load(folder / "family-gru.safetensors")
    changed = {**vars(SHIPPED["family-gru"].recipe), "units": 8, "passes": 1, "seed": 2}
    assert model.card["recipe"] == changed
    assert model.name == "family-gru"


@pytest.mark.parametrize("recipe", [(), ("python-lstm",)])
def test_train_reads_the_standard_library_without_a_corpus(
    recipe: tuple[str, ...], folder: Path, library: corpora.Corpus
) -> None:
    assert main(["train", *recipe, *QUICK, "--layers", "1", "--output", "code.safetensors"]) == 0
    assert lc.load(folder / "code.safetensors").card["sha256"] == library.sha256


def test_train_replaces_a_file_only_when_told(folder: Path) -> None:
    argv = ["train", "--corpus", "clouds.txt", *QUICK, "--output", "clouds-lstm.safetensors", "--name", "second"]
    before = (folder / "clouds-lstm.safetensors").read_bytes()
    assert main(argv) == 1
    assert (folder / "clouds-lstm.safetensors").read_bytes() == before
    assert main([*argv, "--overwrite"]) == 0
    assert lc.load(folder / "clouds-lstm.safetensors").name == "second"


def interrupt_after_first_report(training: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    assert training.stderr is not None
    seen = b""
    while b"held-out" not in seen:
        line = training.stderr.readline()
        assert line, f"it ended by itself: {seen.decode()}"
        seen += line
    training.send_signal(signal.SIGINT)
    out, rest = training.communicate(timeout=60)
    return training.returncode, out.decode(), (seen + rest).decode()


def test_ctrl_c_keeps_the_run_and_the_same_command_goes_on(folder: Path, capsys: Capture) -> None:
    argv = ["train", "--corpus", "clouds.txt", "--units", "8", "--streams", "4", "--window", "16", "--passes", "12"]
    argv += ["--validations", "12"]
    code, out, err = interrupt_after_first_report(process(*argv, cwd=folder))
    assert code == 130
    assert out == ""
    assert "Interrupted, it goes on from lstm-1x8.resume." in err
    assert err.endswith("Stopped. The run is kept in lstm-1x8.resume; the same command goes on from there.\n")
    assert sorted(p.name for p in folder.iterdir()) == ["clouds-lstm.safetensors", "clouds.txt", "lstm-1x8.resume"]
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert "Going on from lstm-1x8.resume." in shown.err
    assert not re.search(r"^step 40 of", shown.err, re.MULTILINE), "the first steps are not done again"
    assert shown.out.startswith("lstm-1x8.safetensors: held-out loss")
    assert not (folder / "lstm-1x8.resume").exists()
    assert main([*argv, "--output", "whole.safetensors"]) == 0
    ours, theirs = (lc.load(folder / f"{n}.safetensors").state_dict() for n in ("lstm-1x8", "whole"))
    assert all((ours[name] == theirs[name]).all() for name in ours)


def test_ctrl_c_without_resuming_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The signal comes in this process, when the held-out part is judged for the first time."""

    def pressed(*given: Any, **more: Any) -> float:
        signal.raise_signal(signal.SIGINT)
        return held_out_loss(*given, **more)

    monkeypatch.setattr(training, "held_out_loss", pressed)
    assert main(["train", "--corpus", "clouds.txt", *QUICK, "--no-resume"]) == 130
    assert capsys.readouterr().err.endswith("Stopped. Nothing was kept.\n")
    assert sorted(p.name for p in folder.iterdir()) == ["clouds-lstm.safetensors", "clouds.txt"]


def test_a_run_with_other_settings_is_not_mixed_in(folder: Path, capsys: Capture) -> None:
    argv = ["train", "--corpus", "clouds.txt", *QUICK, "--output", "x.safetensors"]
    run = fit(corpora.from_file("clouds.txt"), Recipe(units=9, streams=4, window=16), resume="x.resume", report_every=0)
    next(run)
    run.close()
    assert main(argv) == 1
    assert "x.resume holds another run (other settings or another corpus); remove it to begin anew." in capsys.readouterr().err
    assert Path("x.resume").exists()


# evaluate


def held_out(loss: str) -> float:
    found = re.search(r": (\d+\.\d{4}) nats per character", loss)
    assert found, loss
    return float(found[1])


def test_evaluate_finds_the_loss_of_the_card(folder: Path, capsys: Capture) -> None:
    assert main(["evaluate", "clouds-lstm.safetensors", "--corpus", "clouds.txt"]) == 0
    shown = capsys.readouterr()
    model = lc.load("clouds-lstm.safetensors")
    assert held_out(shown.out) == model.card["held_out_loss"]
    assert f"last 288 characters of clouds.txt (1 stream); its card says {model.card['held_out_loss']:.4f}" in shown.out
    assert shown.err == ""


def test_evaluate_says_when_the_text_is_another(folder: Path, capsys: Capture) -> None:
    (folder / "other.txt").write_text(TEXT.replace("blue", "grey"))
    assert main(["evaluate", "clouds-lstm", "--corpus", "other.txt"]) == 0
    shown = capsys.readouterr()
    other, model = corpora.from_file("other.txt"), lc.load("clouds-lstm")
    assert held_out(shown.out) == pytest.approx(held_out_loss(model, other.held_out), abs=1e-4)
    assert shown.err.count("\n") == 1
    assert "other.txt is not the text that clouds-lstm was trained on (clouds.txt)" in shown.err
    assert other.sha256[:16] in shown.err
    assert model.card["sha256"][:16] in shown.err


def test_evaluate_reads_streams_side_by_side(folder: Path, capsys: Capture) -> None:
    assert main(["evaluate", "clouds-lstm", "--corpus", "clouds.txt", "--streams", "3"]) == 0
    model = lc.load("clouds-lstm")
    expected = held_out_loss(model, corpora.from_file("clouds.txt").held_out, 3)
    assert expected != pytest.approx(model.card["held_out_loss"], abs=1e-4)
    assert held_out(capsys.readouterr().out) == pytest.approx(expected, abs=1e-4)


def test_evaluate_needs_no_file_for_the_standard_library(folder: Path, library: corpora.Corpus, capsys: Capture) -> None:
    lc.save(trained("code", library), folder / "code.safetensors")
    assert main(["evaluate", "code"]) == 0
    shown = capsys.readouterr()
    assert held_out(shown.out) == lc.load("code").card["held_out_loss"]
    assert shown.err == ""


def test_evaluate_all_takes_each_text_by_its_name(folder: Path, library: corpora.Corpus, capsys: Capture) -> None:
    lc.save(trained("code", library), folder / "code.safetensors")
    (folder / "texts").mkdir()
    shutil.move(folder / "clouds.txt", folder / "texts")
    assert main(["evaluate", "--all", "--corpora", "texts"]) == 0
    shown = capsys.readouterr()
    assert {line.split(":")[0] for line in shown.out.splitlines()} == {"code", "clouds-lstm"}
    for line in shown.out.splitlines():
        assert f"its card says {held_out(line):.4f}" in line
    assert shown.err == ""


@pytest.mark.parametrize(
    ("argv", "said"), [((), "give its folder with --corpora"), (("--corpora", "no"), "there is no file no/clouds.txt")]
)
def test_evaluate_all_says_what_it_leaves_out(argv: tuple[str, ...], said: str, folder: Path, capsys: Capture) -> None:
    assert main(["evaluate", "--all", *argv]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"clouds-lstm is left out: it was trained on clouds.txt, and {said.replace('/', os.sep)}." in shown.err


def test_a_card_can_not_point_outside_the_folder_of_texts(folder: Path, capsys: Capture) -> None:
    model = lc.load("clouds-lstm")
    model.card["corpus"] = "../../clouds.txt"
    lc.save(model, folder / "clouds-lstm.safetensors")
    (folder / "a" / "b").mkdir(parents=True)
    assert main(["evaluate", "--all", "--corpora", "a/b"]) == 1
    assert f"there is no file {Path('a/b/clouds.txt')}" in capsys.readouterr().err


# sample, trace, models, ngrams


def test_sample_writes_after_the_prompt(folder: Path, capsys: Capture) -> None:
    argv = ["sample", "clouds-lstm", "--prompt", "the sky", "--length", "50", "--temperature", "0.7", "--seed", "4"]
    assert main(argv) == 0
    assert capsys.readouterr().out == "the sky" + lc.sample(lc.load("clouds-lstm"), "the sky", 50, 0.7, 4) + "\n"


def test_trace_writes_what_was_read(folder: Path, capsys: Capture) -> None:
    assert main(["trace", "clouds-lstm", "--text", "the cloud\u2019s sky", "-o", "out.npz"]) == 0
    trace = lc.trace(lc.load("clouds-lstm"), "the cloud\u2019s sky")
    with np.load(folder / "out.npz", allow_pickle=False) as arrays:
        for name in trace.signals:
            assert np.array_equal(arrays[name], trace[name])
    shown = capsys.readouterr()
    assert f"loss: {trace.loss:.4f} nats per character" in shown.out
    assert "certificate: holds against torch's own lstm kernel" in shown.out
    assert "1 character unknown to clouds-lstm read as the nearest that it knows." in shown.err


@pytest.mark.parametrize("source", ["--text-file", "-"])
def test_trace_reads_files_and_pipes(source: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    text = b"\xef\xbb\xbfthe sky\r\nis blue"
    (folder / "text.txt").write_bytes(text)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    argv = ("--text-file", "text.txt") if source == "--text-file" else ("-",)
    assert main(["trace", "clouds-lstm.safetensors", *argv, "-o", "out.npz"]) == 0
    assert "1 x 15 x 8 each" in capsys.readouterr().out
    assert (folder / "out.npz").is_file()


def test_trace_of_one_character_has_no_loss(folder: Path, capsys: Capture) -> None:
    assert main(["trace", "clouds-lstm", "--text", "t", "-o", "out.npz"]) == 0
    assert "loss: none, for one character alone" in capsys.readouterr().out


def test_models_are_listed(folder: Path, capsys: Capture) -> None:
    assert main(["models"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    model = lc.load("clouds-lstm")
    assert re.split("  +", head) == ["name", "cell", "layers x units", "parameters", "corpus", "held-out loss", "steps"]
    parameters = sum(p.numel() for p in model.parameters())
    expected = ["clouds-lstm", "lstm", "1 x 8", f"{parameters:,}", "clouds.txt", f"{model.card['held_out_loss']:.4f}", "40"]
    assert re.split("  +", row) == expected


def test_models_as_json_say_everything(folder: Path, capsys: Capture) -> None:
    assert main(["models", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    model = lc.load("clouds-lstm")
    assert facts["name"] == "clouds-lstm"
    assert facts["config"] == model.config
    assert facts["card"] == model.card
    assert facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert facts["vocabulary"] == len(model.vocabulary)


def test_no_models_are_said_so(folder: Path, capsys: Capture) -> None:
    (folder / "clouds-lstm.safetensors").unlink()
    assert main(["models"]) == 0
    assert "No models are shipped with this copy." in capsys.readouterr().err
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_ngrams_are_what_a_model_must_beat(folder: Path, capsys: Capture) -> None:
    assert main(["ngrams", "--corpus", "clouds.txt", "--orders", "4"]) == 0
    corpus = corpora.from_file("clouds.txt")
    table = ngram_loss(corpus.train, corpus.held_out, range(1, 5))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [f"order {n:2}: {table[n]:.4f} nats per character" for n in range(1, 5)]
    assert lines[4] == f"best on clouds.txt: order {table.best_order}, {table.best_loss:.4f} nats per character"


def test_ngrams_read_the_standard_library(library: corpora.Corpus, capsys: Capture) -> None:
    assert main(["ngrams", "--orders", "1"]) == 0
    assert "best on Python 3.0.0 standard library: order 1" in capsys.readouterr().out


# pipes and terminals


def test_a_reader_that_has_seen_enough_is_no_error(folder: Path) -> None:
    (folder / "long.txt").write_text(TEXT * 20)
    with process("ngrams", "--corpus", "long.txt", "--orders", "200", cwd=folder) as counting:
        assert counting.stdout is not None
        assert counting.stderr is not None
        assert counting.stdout.readline().startswith(b"order  1: ")
        counting.stdout.close()
        assert counting.stderr.read() == b""
        assert counting.wait(60) == 0


def test_any_character_can_be_printed_on_an_ascii_terminal(folder: Path) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    writing = process(
        "sample", "clouds-lstm.safetensors", "--prompt", "caf\u00e9 \U0001f600", "--length", "3", cwd=folder, **ascii_only
    )
    out, err = writing.communicate(timeout=60)
    assert writing.returncode == 0, err
    assert re.fullmatch("caf\u00e9 \U0001f600...\n", out.decode(), re.DOTALL)


def test_ctrl_c_in_any_command_has_code_130(folder: Path) -> None:
    (folder / "long.txt").write_text(TEXT * 50)
    counting = process("ngrams", "--corpus", "long.txt", "--orders", "10000", cwd=folder)
    assert counting.stdout is not None
    counting.stdout.readline()
    counting.send_signal(signal.SIGINT)
    out, err = counting.communicate(timeout=60)
    assert counting.returncode == 130
    assert err.decode() == "\nInterrupted.\n"
    assert out.count(b"order") < 9_999
