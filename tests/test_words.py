"""Words are gathered: the catalogue holds each message, each message is filled in by what it names, a translation is found."""

from __future__ import annotations

import ast
import re
import string
import sys
import threading
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from lstm_core import words

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import gather_words  # noqa: E402 it stands beside this file

PYTHON = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "lstm_core").rglob("*.py")]


def test_the_catalogue_is_what_the_code_says() -> None:
    """Else run `python tests/gather_words.py`."""
    assert gather_words.TEMPLATE.read_bytes() == gather_words.template()


def places(message: str) -> set[str]:
    """The names that a message has places for, those within a format's specification too."""
    found: set[str] = set()
    for _text, name, spec, _conversion in string.Formatter().parse(message):
        if name is not None:
            found |= {re.split(r"[.\[]", name)[0]} | places(spec or "")
    return found


def wrong_calls(name: str, source: str) -> list[str]:
    """Calls of `tr` and `tr_n` whose message is no literal, or whose values are not those that it has places for."""
    wrong = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "tr_n", "N_")):
            continue
        forms = 2 if node.func.id == "tr_n" else 1
        where = f"{name}:{node.lineno}"
        messages = [m.value for m in node.args[:forms] if isinstance(m, ast.Constant) and isinstance(m.value, str)]
        given = {keyword.arg for keyword in node.keywords} | ({"n"} if forms == 2 else set())
        if len(messages) < forms:
            if any(isinstance(m, ast.JoinedStr) for m in node.args[:forms]):
                wrong.append(f"{where}: an f-string is filled in before it is looked up")
        elif given - {"n"} and set.union(*map(places, messages)) != given:
            wrong.append(f"{where}: places {set.union(*map(places, messages))}, values {given}")
    return wrong


def test_each_message_is_filled_in_by_what_it_names() -> None:
    assert [fault for path in PYTHON for fault in wrong_calls(str(path.relative_to(ROOT)), path.read_text("utf-8"))] == []


def test_a_fault_in_a_call_is_found() -> None:
    source = 'tr("{a} of {b}", a=1)\ntr(f"{a}")\ntr_n("{n} step", "{n} steps", 3)\ntr("{a:.{b}f}", a=1, b=2)'
    assert [fault.split(":")[1] for fault in wrong_calls("file", source)] == ["1", "2"]


def catalogue(folder: Path, language: str) -> None:
    found = Catalog(locale=language)
    found.add("{n} of {all} units", "von {all} Einheiten {n}")
    found.add(("{n} step", "{n} steps"), ("{n} Schritt", "{n} Schritte"))
    found.add("gate", "Tor")
    path = folder / language / "LC_MESSAGES" / f"{words.DOMAIN}.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, found)


def test_words_are_in_the_first_language_that_has_a_catalogue(tmp_path: Path) -> None:
    catalogue(tmp_path, "de")
    said = {}

    def read(*languages: str) -> None:
        words.use(languages, tmp_path)
        said[languages] = [
            words.tr("{n} of {all} units", n=1, all=2),
            *(words.tr_n("{n} step", "{n} steps", n) for n in (1, 2)),
        ]

    wanted = [("de-AT", "nl"), ("nl", "de"), ("nl",), ("en-GB", "de"), ()]
    for languages in wanted:
        thread = threading.Thread(target=read, args=languages)  # each reader's own
        thread.start()
        thread.join()
    german, english = ["von 2 Einheiten 1", "1 Schritt", "2 Schritte"], ["1 of 2 units", "1 step", "2 steps"]
    assert [said[languages] for languages in wanted] == [german, german, english, english, english]
    assert words.tr("{n} of {all} units", n=1, all=2) == english[0]


def test_a_marked_message_is_english_as_a_text_and_translated_where_it_is_shown(tmp_path: Path) -> None:
    catalogue(tmp_path, "de")
    marked = words.N_("gate")
    shown: list[str] = []

    def read() -> None:
        words.use(["de"], tmp_path)
        shown.extend([str(marked), f"{marked:>4}", words.tr("the {marked}", marked=marked), words.tr(marked), marked + ""])

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert shown == ["Tor", " Tor", "the Tor", "Tor", "gate"]
    assert str(marked) == marked == "gate" and type(words.tr(marked)) is str
