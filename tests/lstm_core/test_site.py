"""A folder for a static host: its files, what their names may be, and the command that writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import lstm_core as lc
from lstm_core import site
from lstm_core.__main__ import main
from lstm_core.errors import InputError
from lstm_core.model import CharModel


def test_a_page_for_each_model_and_an_index_that_leads_to_them(make_model: Callable[..., CharModel]) -> None:
    models = [make_model("lstm", 5), make_model("gru", 6, 2)]
    models[0].name, models[1].name = "first", "<b>second & Ünï"
    models[1].card = {"corpus": "<script>"}
    made = dict(site.pages(models))
    assert list(made) == ["first.html", "_b_second_n_.html", "index.html"]
    index = made["index.html"]
    assert re.findall(r'href="([^"]+)"', index) == list(made)[:-1]
    assert "&lt;b&gt;second &amp; Ünï" in index and "<b>second" not in index and "<script" not in index
    assert "script-src 'none'" in index and "default-src 'none'" in index
    for file in list(made)[:-1]:
        assert '<a href="index.html">All models</a>' in made[file]
        assert "script-src 'sha256-" in made[file] and "connect-src" not in made[file]


def test_pages_of_one_name_and_no_model_are_refused_before_anything_is_made(make_model: Callable[..., CharModel]) -> None:
    with pytest.raises(InputError, match="a site needs at least one model"):
        next(site.pages([]))
    one, two = make_model("lstm", 5), make_model("gru", 5)
    one.name, two.name = "same name", "Same_name"
    with pytest.raises(InputError, match="two pages would be called [Ss]ame_name.html"):
        next(site.pages([one, two]))
    one.name = "index"
    with pytest.raises(InputError, match=re.escape("two pages would be called index.html")):
        next(site.pages([one]))


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", "family-rnn", "-o", str(tmp_path / "new" / "site")]) == 0
    files = sorted(path.name for path in (tmp_path / "new" / "site").iterdir())
    assert files == ["family-rnn.html", "index.html"]
    told = capsys.readouterr().out.splitlines()
    assert [Path(line.split(": ")[0]).name for line in told] == ["family-rnn.html", "index.html"]
    assert main(["site", "nobody", "-o", str(tmp_path / "none")]) != 0
    assert not (tmp_path / "none").exists()


def test_the_page_of_the_largest_shipped_model_stays_under_six_megabytes() -> None:
    largest = max(lc.models(), key=lambda info: info.path.stat().st_size)
    page = next(page for file, page in site.pages([lc.load(largest.name)]) if file != "index.html")
    assert len(page.encode()) < 6_000_000
