"""A folder for a static host: one page that reads by itself for each model, and one that leads to them. Nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from string import Template

from lstm_core import report
from lstm_core.errors import InputError
from lstm_core.examples import text_for
from lstm_core.model import CharModel
from lstm_core.words import tr

INDEX = "index.html"


def file_of(name: str) -> str:
    """The file of a model's page: its name, with what an address may hold in place of the rest."""
    return f"{re.sub(r'[^A-Za-z0-9-]+', '_', name)}.html"


def pages(models: Sequence[CharModel]) -> Iterator[tuple[str, str]]:
    """The files of a site, one after another: name and content, to be saved as UTF-8; the last is index.html.

    models: one or more; each page begins with the text that is proposed for its model. Raises InputError for no model, for
    two whose pages would have one name, and for a model whose page would be too large (`report.check_live`), before the
    first page is made.
    """
    files = [file_of(model.name) for model in models]
    if not models:
        raise InputError(tr("a site needs at least one model"))
    for file in [INDEX, *files]:
        if [INDEX, *(each.lower() for each in files)].count(file.lower()) > 1:
            raise InputError(tr("two pages would be called {file}: give the models other names", file=file))
    for model in models:
        report.check_live([model])
    rows = []
    for model, file in zip(models, files):
        page = report.build_live([model], text_for(model.name), home=INDEX)
        rows.append(_row(model, file, len(page.encode()) / 1e6))
        yield file, page
    yield INDEX, _index(rows)


def _row(model: CharModel, file: str, size: float) -> str:
    """A model's line. size: of its page, in MB."""
    cells = [
        model.cell.title,
        f"{model.layers} × {model.units}",
        str(model.card.get("corpus", "")),
        tr("{size:.1f} MB", size=size),
    ]
    link = f'<a href="{escape(file)}">{escape(report.printable(model.name))}</a>'
    return f"<tr><th>{link}</th>{''.join(f'<td>{escape(report.printable(cell))}</td>' for cell in cells)}</tr>"


def _index(rows: Sequence[str]) -> str:
    title = escape(tr("Trained networks that read what you type"))
    heads = [tr("model"), tr("cell"), tr("layers × units"), tr("learned from"), tr("page")]
    body = Template(report.asset("report/index.html")).substitute(
        title=title,
        lead=escape(
            tr(
                "Each page holds a trained recurrent network whole. It reads what you type one character at a time, in your"
                " browser, and shows every gate as it opens and closes. Nothing that is typed leaves a page, and once a page"
                " is open it needs no network."
            )
        ),
        heads="".join(f"<th>{escape(head)}</th>" for head in heads),
        rows="\n".join(rows),
    )
    return report.document("index", title, body, ("report/report",))
