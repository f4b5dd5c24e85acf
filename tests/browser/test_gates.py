"""The Gates page as a person uses it: type, point, click, press keys, share a link."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

import lstm_core as lc
from tests.browser.conftest import WAIT, free_port, heard, query, rest, sent_from_now, serve, shown

CANVAS = "canvas[aria-label^='Heatmaps over']"
TEXT = "a quiet evening"


def cursor(tab) -> dict[str, str]:
    return tab.locator(".gates[data-step]").evaluate("e => ({...e.dataset})")


def canvas(tab):
    return shown(tab, CANVAS)


def reads(tab, characters: int) -> None:
    """Waits until a text of so many characters is painted."""
    tab.locator(f"canvas[aria-label^='Heatmaps over {characters} characters']").first.wait_for(state="visible", timeout=60_000)
    rest(tab)


CHECKED = "✓ Within"  # of torch's trace: the server has answered


def field(tab):
    return tab.get_by_role("textbox", name="Text", exact=True)


def note(tab):
    return tab.locator(".stage .note")


def checked(tab) -> None:
    """Waits until the server has read what stands in the field, and the browser has compared."""
    expect(note(tab)).to_contain_text(CHECKED)


def type_text(tab, text: str) -> None:
    field(tab).click()  # as a person does, whose acts add entries to the browser's history
    field(tab).fill(text)


def link(**wanted: object) -> str:
    return "/?" + urlencode({"model": "family-lstm", "text": TEXT, **wanted})


def test_it_opens_with_every_gate_of_a_sentence(open_tab) -> None:
    tab = open_tab()
    checked(tab)
    assert "Heatmaps over" in canvas(tab).get_attribute("aria-label")
    expect(tab.get_by_text("Certified")).to_have_count(1)
    painted = canvas(tab).evaluate(
        """c => [...c.getRootNode().querySelectorAll('canvas')].some(k => {
            const d = k.getContext('2d').getImageData(0, 0, k.width, k.height).data; return new Set(d).size > 30 })"""
    )
    assert painted, "the heatmaps are more than an empty box"


def test_a_typed_text_is_read_character_by_character(open_tab) -> None:
    tab = open_tab()
    type_text(tab, "what a strange day")
    reads(tab, 18)
    assert query(tab)["text"] == "what a strange day"


def messages(tab) -> list[str]:
    """Loads the page again; the list takes in every message to the server once the page stands."""
    sent = sent_from_now(tab)
    checked(tab)
    tab.wait_for_timeout(1200)  # what is reported after a pause has gone by then
    sent.clear()
    return sent


def test_every_keystroke_is_painted_and_the_server_hears_of_the_text_after_a_pause(open_tab) -> None:
    tab = open_tab(link(character=3, unit=42))
    sent = messages(tab)
    field(tab).press("Control+End")
    for k, character in enumerate(" ago"):
        field(tab).press_sequentially(character)
        expect(tab.locator(".gates")).to_have_attribute("data-step", str(len(TEXT) + k))
        assert cursor(tab)["unit"] == "42", "the chosen unit stays"
    checked(tab)
    tab.wait_for_function(f"location.search.includes('{'+'.join(TEXT.split())}+ago')")
    assert len(sent) <= 2, "one message for the text, whatever was typed, or two where the typing was slow"
    trace = lc.trace(lc.load("family-lstm"), f"{TEXT} ago")
    canvas(tab).focus()
    tab.keyboard.press("Home")
    tab.keyboard.press("End")
    said = heard(tab, ".gates", f"character {trace.steps} of {trace.steps}")
    for name in ("forget", "input", "output"):
        assert f"{trace[name][0, -1, 42]:.3f}" in said, said


def test_an_edit_in_the_middle_is_read_from_there_and_the_cursor_is_at_the_caret(open_tab) -> None:
    tab = open_tab(link())
    checked(tab)
    field(tab).evaluate("(area) => { area.focus(); area.setSelectionRange(2, 2); }")
    tab.keyboard.type("very ")
    expect(tab.locator(".gates")).to_have_attribute("data-step", "6")
    assert field(tab).evaluate("(area) => area.selectionStart") == 7
    checked(tab)
    tab.keyboard.press("Control+z")
    checked(tab)
    assert "very" not in field(tab).input_value() or field(tab).input_value() != f"a very {TEXT[2:]}", "Undo is the field's own"


def test_text_is_not_lost_by_reloading_nor_by_its_length(open_tab) -> None:
    tab = open_tab(link())
    checked(tab)
    field(tab).press("Control+End")
    field(tab).press_sequentially("!?")
    tab.reload()  # sooner than the server hears of it
    rest(tab)
    expect(field(tab)).to_have_value(f"{TEXT}!?")
    checked(tab)
    long = "It was a long road. " * 156
    field(tab).fill(long)
    checked(tab)
    tab.wait_for_function("!location.search.includes('text=')")
    tab.reload()
    rest(tab)
    expect(field(tab)).to_have_value(long)
    tab.get_by_role("link", name="Compare").click()
    tab.wait_for_url("**/compare**")
    rest(tab)
    tab.go_back()
    expect(field(tab)).to_have_value(long)
    other = tab.context.new_page()
    other.goto(tab.url.split("?")[0])
    rest(other)
    expect(field(other)).to_have_value(long)


def test_a_link_outranks_what_is_kept_and_clear_keeps_nothing(open_tab) -> None:
    tab = open_tab(link())
    checked(tab)
    field(tab).fill("something private")
    checked(tab)
    tab.goto(tab.url.split("?")[0] + "?model=family-rnn&text=from+a+link")
    rest(tab)
    expect(field(tab)).to_have_value("from a link")
    tab.get_by_role("button", name="Clear the text").click()
    expect(note(tab)).to_contain_text("The field is empty")
    kept = tab.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "private" not in kept and "from a link" not in kept
    tab.keyboard.press("Control+z")
    expect(field(tab)).to_have_value("from a link")


def test_examples_models_and_layers_are_chosen_beside_the_field(open_tab) -> None:
    tab = open_tab("/?model=family-lstm")
    checked(tab)
    tab.get_by_role("combobox", name="Examples").select_option(label="The same word again and again")
    expect(field(tab)).to_have_value("again again again again again again again again")
    checked(tab)
    tab.get_by_role("combobox", name="Model").select_option("war-and-peace-lstm")
    expect(tab.locator(".gates")).to_have_attribute("data-model", "war-and-peace-lstm")
    tab.get_by_role("combobox", name="Layer", exact=True).select_option(label="all layers")
    expect(tab.locator(".gates canvas.cursor")).to_have_attribute("aria-label", re.compile("layer 1.*layer 2"))
    tab.wait_for_function("location.search.includes('layer=all')")
    checked(tab)
    assert query(tab)["model"] == "war-and-peace-lstm"


def test_pointing_and_keys_move_the_cursor_without_the_server(open_tab) -> None:
    tab = open_tab(link(step=3, unit=5))
    sent = messages(tab)
    canvas(tab).focus()
    before = int(cursor(tab)["step"])
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        tab.keyboard.press(key)
    assert int(cursor(tab)["step"]) == before + 2
    box = canvas(tab).bounding_box()
    for k in range(20):
        tab.mouse.move(box["x"] + box["width"] * (0.3 + 0.01 * k), box["y"] + box["height"] * 0.5)
    tab.keyboard.press("Home")
    assert cursor(tab)["step"] == "0"
    tab.keyboard.press("End")
    assert cursor(tab)["step"] == str(len(TEXT) - 1)
    tab.wait_for_timeout(300)
    assert sent == []


def test_the_readout_speaks_the_traces_numbers(open_tab) -> None:
    tab = open_tab(link(step=4, unit=17))
    trace = lc.trace(lc.load("family-lstm"), TEXT)
    canvas(tab).focus()
    tab.keyboard.press("Home")
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    tab.wait_for_timeout(500)
    spoken = tab.locator(".gates [aria-live=polite]").inner_text()
    at = {name: int(value) for name, value in cursor(tab).items() if name in ("step", "unit", "layer")}
    assert at["step"] == 4
    for name in ("forget", "input", "output"):
        assert f"{trace[name][0, 4, at['unit']]:.3f}" in spoken, spoken


def test_a_click_pins_a_character_and_a_unit_without_the_server(open_tab) -> None:
    tab = open_tab(link(step=0, unit=0))
    sent = messages(tab)
    box, clicked = canvas(tab).bounding_box(), []
    for right in (330, 250, 390, 300):
        tab.mouse.click(box["x"] + right, box["y"] + 0.6 * box["height"])
        at = cursor(tab)
        clicked.append(int(at["step"]))
        assert query(tab)["character"] == str(int(at["step"]) + 1) and query(tab)["unit"] == at["unit"]
    assert len(set(clicked)) == 4
    tab.wait_for_timeout(1200)
    assert sent == []
    shared = open_tab("/?" + urlparse(tab.url).query)
    checked(shared)
    assert cursor(shared)["step"] == at["step"] and cursor(shared)["unit"] == at["unit"]
    tab.get_by_text("Zoom, compare, download").click()  # what the server makes is of the same place
    expect(tab.get_by_text(f"Kept and written: unit {at['unit']}").first).to_be_attached()


def test_a_shared_link_opens_the_same_view(open_tab) -> None:
    tab = open_tab(link(character=7, unit=42))
    other = open_tab("/?" + urlparse(tab.url).query)
    assert query(other) == query(tab)
    assert (cursor(other)["step"], cursor(other)["unit"]) == ("6", "42")


REDRAWN = """gates => {
    const stage = gates.querySelector(".stage");
    window.redrawn = 0;
    const watch = new MutationObserver((changes) => (window.redrawn += changes.length));
    watch.observe(stage, { subtree: true, childList: true, attributes: true });
    for (const canvas of stage.querySelectorAll("canvas")) {
        const pen = canvas.getContext("2d");
        const clear = pen.clearRect;
        pen.clearRect = function (...box) { window.redrawn += 1; clear.apply(this, box) };
    }
}"""


def looked_at(tab) -> tuple:
    """How the picture is looked at: its data-* and what its controls show."""
    controls = tab.locator(".gates .bar select, .gates .bar button, .gates .foot button")
    return cursor(tab), controls.evaluate_all("all => all.map(c => [c.value, c.textContent, c.ariaPressed, c.disabled])")


def test_a_copied_link_keeps_how_the_picture_is_looked_at(open_tab) -> None:
    tab = open_tab(link(text=f"{TEXT}. " * 10, step=40, unit=42))
    canvas(tab)
    gates, first = tab.locator(".gates"), looked_at(tab)
    gates.get_by_role("combobox", name="Order of the units").select_option("forget")
    gates.get_by_role("combobox", name="Height of the rows").select_option("small")
    for name in ("Narrower columns", "Narrower columns", "Show tanh C", "Show extremes"):
        gates.get_by_role("button", name=name).click()
    assert "zoom" not in query(tab), "nothing is told while hands are busy"
    gates.evaluate(REDRAWN)
    tab.wait_for_function("location.search.includes('zoom=10')")
    rest(tab)
    assert tab.evaluate("window.redrawn") == 0, "what goes into the address does not come back"
    told = {"zoom": "10", "order": "forget", "rows": "small", "pooling": "farthest", "squash": "on"}
    assert {name: query(tab).get(name) for name in told} == told
    changed = looked_at(tab)
    assert changed[0]["look"] != first[0]["look"]
    tab.get_by_text("Link to this view").click()
    copied = urlparse(tab.locator("[data-testid=stPopoverBody] code").inner_text())
    other = open_tab(f"/?{copied.query}")
    canvas(other)
    assert looked_at(other) == changed and query(other) == query(tab)
    other.get_by_role("link", name="Inside").click()
    other.locator(".inside .copy").first.wait_for(state="attached")
    other.get_by_role("link", name="Gates").click()
    canvas(other)
    rest(other)
    assert looked_at(other) == changed and query(other) == query(tab)
    other.locator(".gates").get_by_role("button", name="Fit").click()
    other.wait_for_function("location.search.includes('zoom=fit')")


def test_scrolling_tells_the_server_nothing(open_tab) -> None:
    tab = open_tab(link(text=f"{TEXT}. " * 30))
    sent = messages(tab)
    for left in range(0, 2000, 100):
        tab.locator(".gates .scroller").evaluate("(e, left) => (e.scrollLeft = left)", left)
    tab.wait_for_timeout(1200)
    assert sent == []
    tab.locator(".gates").get_by_role("button", name="Fit").click()
    tab.wait_for_function("location.search.includes('zoom=fit')")
    assert len(sent) == 1, "one message, however many columns it moves"


def test_the_copied_link_is_of_what_is_seen_and_the_way_back_leads_back(open_tab) -> None:
    tab = open_tab(link(step=6, unit=42))
    type_text(tab, "another text")
    reads(tab, 12)
    tab.wait_for_function("location.search.includes('another')")
    rest(tab)
    tab.get_by_text("Link to this view").click()
    copied = tab.locator("[data-testid=stPopoverBody] code").inner_text()
    assert parse_qs(urlparse(copied).query) == parse_qs(urlparse(tab.url).query)
    assert copied.startswith(tab.url.split("?")[0])
    tab.wait_for_timeout(1600)  # what comes sooner is taken for a message that was on its way
    tab.go_back()
    reads(tab, len(TEXT))
    expect(field(tab)).to_have_value(TEXT)


def test_play_moves_and_stops(open_tab) -> None:
    tab = open_tab(link(step=0, unit=0))
    canvas(tab).focus()
    tab.keyboard.press("Home")
    tab.locator(".gates button[aria-label='Play']").click()
    tab.wait_for_timeout(700)
    tab.locator(".gates button[aria-label='Pause']").click()
    stopped = int(cursor(tab)["step"])
    assert stopped > 0
    tab.wait_for_timeout(400)
    assert int(cursor(tab)["step"]) == stopped


def test_an_empty_text_leaves_the_last_good_picture(open_tab) -> None:
    tab = open_tab(link())
    type_text(tab, "")
    expect(note(tab)).to_contain_text("The field is empty")
    assert f"over {len(TEXT)} characters" in canvas(tab).get_attribute("aria-label")


def test_too_long_a_text_gets_a_sentence(open_tab) -> None:
    tab = open_tab(link())
    type_text(tab, "a" * 20_001)
    expect(note(tab)).to_contain_text("20,001 characters")
    assert f"over {len(TEXT)} characters" in canvas(tab).get_attribute("aria-label")


def test_twenty_thousand_characters_are_read_and_scrolled(open_tab) -> None:
    tab = open_tab(link())
    type_text(tab, ("It was a long road. " * 1000))
    reads(tab, 20_000)
    assert tab.locator(".gates *").count() < 400
    expect(note(tab)).to_contain_text(CHECKED, timeout=180_000)
    canvas(tab).focus()
    tab.keyboard.press("End")
    tab.wait_for_timeout(1500)
    rest(tab)
    assert cursor(tab)["step"] == "19999"


ODD = (
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "**b** _i_ [l](http://example.org) ![p](http://example.org/p.png) `c` :red[x]",
    r"$\frac{1}{2}$ \(x\) $$y$$",
    "a\tb\nc\u0000d",
    "שלום עולם \u202e right to left",
    "e\u0301\u0300 n\u0303 👩‍👩‍👧 🏳️‍🌈",
)


def test_nothing_in_the_text_is_interpreted(open_tab) -> None:
    tab = open_tab(link())
    dialogs: list[str] = []
    tab.on("dialog", lambda d: (dialogs.append(d.message), d.dismiss()))
    main = tab.locator("[data-testid=stMain]")
    for text in ODD:
        type_text(tab, text)
        reads(tab, len(text))
        assert main.locator("a[href*='example.org'], img[src*='example.org'], img[src='x']").count() == 0, text
        assert not dialogs, text


def test_the_figure_and_the_numbers_can_be_taken_away(open_tab, tmp_path: Path) -> None:
    tab = open_tab(link(character=3, unit=5))  # nothing is left to report: a run in the middle of a download would end it
    checked(tab)
    tab.get_by_text("Zoom, compare, download").click()
    rest(tab)
    wanted = {"Numbers (NPZ)": ".npz", "Numbers (CSV)": ".zip", "Numbers (Parquet)": ".parquet"}
    wanted |= {"Interactive page (HTML)": ".html", "Offline report (HTML)": ".html"}
    for label, ending in wanted.items():
        with tab.expect_download() as waiting:
            tab.get_by_role("button", name=label).click()
        path = tmp_path / f"file{ending}"
        waiting.value.save_as(path)
        assert path.stat().st_size > 10_000, label


def test_the_cells_drawing_is_a_picture(open_tab) -> None:
    tab = open_tab(link())
    tab.get_by_text("The drawing of this cell").click()
    tab.locator(".drawing svg").wait_for()
    parts = tab.locator(".drawing svg [data-signal]").evaluate_all("e => [...new Set(e.map(x => x.dataset.signal))]")
    assert set(parts) == set(lc.cell("lstm").names)
    expect(tab.get_by_text("data-from=")).to_have_count(0)


def test_every_size_and_theme_fits_its_window(open_tab) -> None:
    for width, height, scheme in ((1400, 1000, "light"), (390, 844, "dark")):
        tab = open_tab(link(), width, height, scheme)
        wide = tab.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 2
        expect(canvas(tab)).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/gates"])
def test_a_deep_link_opened_first_after_a_restart_looks_like_any_other(browser, tmp_path: Path, path: str) -> None:
    port = free_port()
    process = serve(port, tmp_path / "log")
    try:
        tab = browser.new_context().new_page()
        tab.goto(f"http://127.0.0.1:{port}{path}?model=family-gru&text=hello&step=2&unit=9")
        rest(tab)
        tab.wait_for_selector(CANVAS)
        checked(tab)
        assert (cursor(tab)["step"], cursor(tab)["unit"]) == ("2", "9")
        assert field(tab).input_value() == "hello"
        expect(tab.get_by_text("Page not found")).to_have_count(0)
        tab.context.close()
    finally:
        process.terminate()
        process.wait(10)


def test_a_restarted_server_gets_the_text_from_the_browser(browser, tmp_path: Path) -> None:
    port = free_port()
    process = serve(port, tmp_path / "log")
    try:
        tab = browser.new_context().new_page()
        tab.set_default_timeout(WAIT)
        tab.goto(f"http://127.0.0.1:{port}{link()}")
        checked(tab)
        long = "It was a long road. " * 110  # no link holds it
        field(tab).fill(long)
        checked(tab)
        process.kill()
        process.wait(10)
        process = serve(port, tmp_path / "log again")
        field(tab).press("Control+End")
        field(tab).press_sequentially("!")
        checked(tab)
        expect(field(tab)).to_have_value(f"{long}!")
        tab.reload()
        expect(field(tab)).to_have_value(f"{long}!")
        tab.context.close()
    finally:
        process.terminate()
        process.wait(10)
