import json
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import lstm_core as lc
from lstm_core.browser import gates as packing
from lstm_core.figures import palette
from lstm_core.model import CharModel
from lstm_core.text import Vocabulary
from pages.common import components, links
from pages.common.gates import view as gates_view
from pages.common.gates.view import OPTIONS, Between, Reader, Track
from pages.common.links import accepted

TEXT = "It was in July, 1805.\n"


def traced(cell: str = "lstm", units: int = 12, layers: int = 2, text: str = TEXT, scale: float = 1.0) -> lc.Trace:
    torch.manual_seed(0)
    model = CharModel(Vocabulary.of(TEXT), cell, units, layers, name="tiny")
    with torch.no_grad():
        for parameter in model.rnn.parameters():
            parameter *= scale
    return lc.trace(model, text)


def payload(trace: lc.Trace, layers: tuple[int, ...], start: int = 0) -> dict:
    """What the Gates page sends: one reader, a track a layer."""
    return packing.payload([Reader(trace.model, trace)], [Track(0, layer) for layer in layers], start)


def numbers(packed: dict, name: str, track: int = 0, low: float = 0, high: float = 1) -> np.ndarray:
    """A heatmap of the payload as the browser reads it."""
    values = packed[f"values{track}"][name].to_numpy()
    if values.dtype == np.uint16:
        return low + values.astype(np.float64) / packed["meta"]["levels"] * (high - low)
    return values


@pytest.mark.parametrize("cell", lc.cells())
def test_every_number_arrives_to_the_third_decimal(cell):
    trace = traced(cell, scale=4)
    packed = payload(trace, (0, 1), 0)
    for name in trace.signals:
        low, high = trace.cell[name].range
        for layer in (0, 1):
            sent = numbers(packed, name, layer, low, high).reshape(trace.steps, trace.units)
            assert np.abs(sent - trace[name][layer]).max() < 2e-5


def test_zero_and_the_ends_of_a_range_are_exact():
    ends = np.array([-1, 0, 1], np.float32)
    assert packing._numbers(ends, (-1, 1)).tolist() == [0, packing.LEVELS // 2, packing.LEVELS]
    assert packing._numbers(np.array([0, 1 + 1e-6], np.float32), (0, 1)).tolist() == [0, packing.LEVELS]


def test_an_unbounded_state_is_sent_as_it_is_with_limits_that_hold_it():
    trace = traced(scale=5)
    packed = payload(trace, (1,), 0)
    assert np.array_equal(packed["values0"]["cell"].to_numpy(), trace["cell"][1].ravel())
    described = next(s for s in packed["meta"]["tracks"][0]["signals"] if s["name"] == "cell")
    low, high, most = described["limits"]
    assert not described["bounded"]
    assert low == -high
    assert most == np.abs(trace["cell"][1]).max()
    assert high >= np.quantile(np.abs(trace["cell"][1]), palette.COVERED) * 0.999


def test_one_runaway_unit_does_not_blanch_the_others():
    values = np.random.default_rng(0).uniform(-1, 1, (500, 400)).astype(np.float32)
    values[-1, 7] = -680
    low, high, most = packing._limits(values)
    assert low == -high and 0.95 < high <= 1
    assert most == 680


def test_a_state_that_stays_at_zero_still_has_limits():
    assert packing._limits(np.zeros((3, 2), np.float32)) == (-1.0, 1.0, 0.0)


@pytest.mark.parametrize(("value", "rounded"), [(3.21, 3.3), (3.3, 3.3), (680.2, 690), (0.0234, 0.024), (1.0, 1.0), (0, 0)])
def test_limits_are_rounded_up_to_two_digits(value, rounded):
    assert palette.rounded_up(value) == pytest.approx(rounded)


def test_the_state_before_the_window_is_the_initial_one_or_the_last_not_sent(monkeypatch):
    monkeypatch.setattr(packing, "WINDOW", 5)
    trace = traced()
    assert np.array_equal(payload(trace, (0,), 0)["before0"]["cell"], trace.initial["cell"][0])
    later = payload(trace, (0,), 4)
    assert np.array_equal(later["before0"]["cell"], trace["cell"][0, 3])
    assert later["meta"]["columns"] == 5
    assert later["meta"]["steps"] == trace.steps
    assert np.array_equal(later["values0"]["cell"].to_numpy().reshape(5, -1), trace["cell"][0, 4:9])
    assert len(later["reader0"]) == trace.steps


def test_predictions_are_the_likeliest_three_in_order():
    trace = traced()
    packed = payload(trace, (0,), 0)
    shown = [g[0] for g in packed["meta"]["glyphs"]]
    for step in (0, 7, trace.steps - 1):
        best = np.argsort(-trace.probs[step], kind="stable")[:3]
        for rank, k in enumerate(best):
            assert shown[packed["reader0"][f"next{rank}"][step].as_py()] == packing.glyph(trace.vocabulary.characters[k])[0]
            assert packed["reader0"][f"chance{rank}"][step].as_py() / 65535 == pytest.approx(trace.probs[step, k], abs=1e-5)


def test_a_vocabulary_of_two_has_two_predictions():
    torch.manual_seed(0)
    packed = payload(lc.trace(CharModel(Vocabulary.of("ab"), "rnn", 3), "abba"), (0,), 0)
    assert {"next1"} <= set(packed["reader0"].column_names)
    assert "next2" not in packed["reader0"].column_names


def test_characters_that_were_read_as_others_are_told_apart():
    trace = traced(text="Jüly\t😀\ud800")
    packed = payload(trace, (0,), 0)
    glyphs = packed["meta"]["glyphs"]
    typed, read = ([glyphs[k.as_py()][0] for k in packed["reader0"][name]] for name in ("typed", "read"))
    assert typed == ["J", "ü", "l", "y", "⇥", "😀", "D800"]
    assert read == ["J", "u", "l", "y", "␣", "␣", "␣"]
    json.dumps(packed["meta"]).encode("utf-8")


@given(st.characters())
def test_no_glyph_is_invisible_or_reorders_its_neighbours(character):
    shown, spoken, kind = packing.glyph(character)
    assert shown.encode("utf-8")
    assert spoken
    assert kind in ("plain", "quiet", "boxed")
    assert all(unicodedata.category(c)[0] not in "CZ" for c in shown)
    if shown == character:
        assert not unicodedata.category(character).startswith("M")


@pytest.mark.parametrize(
    ("character", "shown", "kind"),
    [
        (" ", "␣", "quiet"), ("\n", "↵", "quiet"), ("\0", "␀", "quiet"), ("\x7f", "␡", "quiet"), ("\u0301", "◌\u0301", "plain"),
        ("\u200b", "ZWSP", "boxed"), ("\u202e", "RLO", "boxed"), ("\ufe0f", "VS16", "boxed"), ("\x85", "85", "boxed"),
        ("\ue000", "E000", "boxed"), ("<", "<", "plain"), ("א", "א", "plain"),
    ],
)  # fmt: skip
def test_glyphs_that_people_meet(character, shown, kind):
    assert packing.glyph(character)[::2] == (shown, kind)


@pytest.mark.parametrize(
    ("latex", "plain"), [(r"\tilde{C}", "C\u0303"), (r"\tilde h", "h\u0303"), ("f", "f"), (r"\hat{y}", "y\u0302")]
)
def test_symbols_without_latex(latex, plain):
    assert packing.plain_symbol(latex) == plain


def test_orders_hold_every_unit_and_the_mean_falls_from_row_to_row():
    trace = traced()
    packed = payload(trace, (0, 1), 0)
    for orders in (packed["orders0"], packed["orders1"]):
        assert set(orders.column_names) == {"grouped", *trace.signals}
        for column in orders.columns:
            assert sorted(column.to_pylist()) == list(range(trace.units))
    means = trace["forget"][1].mean(axis=0)[packed["orders1"]["forget"].to_numpy()]
    assert np.all(np.diff(means) <= 1e-7)


def test_colours_are_the_palette_s():
    colours = payload(traced(), (0,), 0)["meta"]["colours"]
    assert bytes.fromhex(colours["gate"]["dark"]) == palette.lut("gate", "dark").tobytes()


def test_the_operations_take_up_the_state_of_the_step_before():
    recalled = {
        cell: {s: packing._state_before(lc.cells()[cell], s) for s in lc.cells()[cell].names} for cell in ("lstm", "gru", "rnn")
    }
    assert {s for s, state in recalled["lstm"].items() if state} == {"forget"}
    assert recalled["lstm"]["forget"] == "cell"
    assert {s for s, state in recalled["gru"].items() if state} == {"candidate"}
    assert recalled["gru"]["candidate"] == "hidden"
    assert not any(recalled["rnn"].values())


def test_the_payload_of_a_trace_is_packed_once():
    trace = traced()
    assert payload(trace, (0,), 0) is payload(trace, (0,), 0)
    assert payload(trace, (1,), 0) is not payload(trace, (0,), 0)


def test_a_thousand_characters_of_a_large_model_stay_small():
    units, columns = 512, 1000
    values = np.random.default_rng(0).uniform(0, 1, (columns, units)).astype(np.float32)
    assert packing._numbers(values, (0, 1)).nbytes == 2 * units * columns


# The pin, between browser and page


def page(pin, steps, shown, look):
    import streamlit as st
    import torch

    import lstm_core as lc
    from lstm_core.model import CharModel
    from lstm_core.text import Vocabulary
    from pages.common.gates.view import gates_view

    torch.manual_seed(0)
    trace = lc.trace(CharModel(Vocabulary.of("abc"), "lstm", 6, 2), ("abc" * steps)[:steps])
    if shown:
        view = gates_view(trace, (0, 1), key="gates", pin=pin, query=look)
        st.session_state["seen"] = (view.pin, view.start)
        st.session_state["look"] = view.options


def opened(pin=None, steps=20, look=None) -> AppTest:
    arguments = {"pin": pin, "steps": steps, "shown": True, "look": look}
    return AppTest.from_function(page, kwargs=arguments, default_timeout=30).run()


def again(at: AppTest, **changes):
    """Runs the page once more, with other arguments; what it then showed: (pin, first column)."""
    at.kwargs = at.kwargs | changes
    at.run()
    assert not at.exception
    return at.session_state["seen"]


def at_pin(step: int, unit: int, layer: int = 0) -> dict[str, int]:
    return {"step": step, "unit": unit, "layer": layer}


def click(at: AppTest, pin: dict[str, int], serial: int) -> None:
    at.session_state["gates"] = {"pin": pin | {"serial": serial}}


def test_nothing_is_pinned_until_somebody_pins():
    at = opened()
    assert not at.exception
    assert at.session_state["seen"] == (None, 0)


def test_a_click_holds_while_the_page_goes_on_giving_its_old_pin():
    at = opened(at_pin(3, 2))
    assert at.session_state["seen"] == (at_pin(3, 2), 0)
    click(at, at_pin(7, 5, 1), serial=1)
    assert again(at) == (at_pin(7, 5, 1), 0)
    assert again(at, pin=at_pin(7, 5, 1)) == (at_pin(7, 5, 1), 0)
    assert again(at) == (at_pin(7, 5, 1), 0)


def test_a_new_pin_of_the_page_is_not_undone_by_an_old_click():
    at = opened(at_pin(3, 2))
    click(at, at_pin(7, 5), serial=1)
    again(at)
    assert again(at, pin=at_pin(9, 1))[0] == at_pin(9, 1)
    click(at, at_pin(7, 5), serial=1)
    assert again(at)[0] == at_pin(9, 1)
    click(at, at_pin(8, 0), serial=2)
    assert again(at)[0] == at_pin(8, 0)


def test_a_pin_stays_inside_a_text_that_got_shorter():
    at = opened(at_pin(15, 2))
    assert again(at, steps=4)[0] == at_pin(3, 2)


def test_pins_from_outside_the_trace_are_brought_inside():
    assert opened(at_pin(900, 77, 9)).session_state["seen"][0] == at_pin(19, 5, 0)
    assert opened(at_pin(-4, -1, -1)).session_state["seen"][0] == at_pin(0, 0, 0)


def test_a_pin_survives_a_visit_to_another_page():
    at = opened()
    click(at, at_pin(6, 4), serial=0)
    again(at)
    again(at, shown=False)
    assert again(at, shown=True)[0] == at_pin(6, 4)


@pytest.mark.parametrize(
    "nonsense",
    [{"pin": "x"}, {"pin": {"step": "1"}}, {"pin": {"step": True, "unit": 0, "layer": 0}}, {"start": {"first": None}}],
)
def test_a_malformed_message_changes_nothing(nonsense):
    at = opened(at_pin(3, 2))
    at.session_state["gates"] = nonsense
    assert again(at) == (at_pin(3, 2), 0)


def test_a_long_text_is_sent_as_the_window_asked_for():
    at = opened(steps=2600)
    assert at.session_state["seen"] == (None, 0)
    at.session_state["gates"] = {"start": {"first": 1200, "serial": 0}}
    assert again(at) == (None, 1200)
    at.session_state["gates"] = {"start": {"first": 99_999, "serial": 0}}
    assert again(at) == (None, 1600)


def test_a_pin_far_away_brings_its_window():
    assert opened(at_pin(2000, 1), steps=2600).session_state["seen"] == (at_pin(2000, 1), 1500)


def test_layers_that_are_not_there_are_named():
    with pytest.raises(ValueError, match="layers 0 to 1"):
        gates_view.gates_view(traced(), (0, 2), key="x")


# The look, between browser and address


LOOKED = {"zoom": "6", "order": "forget", "rows": "every", "pooling": "farthest", "squash": "on"}


def told(at: AppTest) -> tuple[dict[str, str], int]:
    """What the browser was last told of the look: (look, serial)."""
    memory = at.session_state["gates: display"]
    return memory.command, memory.serial


def test_a_look_from_a_link_is_checked() -> None:
    assert accepted(OPTIONS, {**LOOKED, "model": "x", "serial": 3}) == LOOKED
    for zoom in ("fit", "0.25", "36", "1.5", "17.1234"):
        assert accepted(OPTIONS, {"zoom": zoom}) == {"zoom": zoom}
    for order in ("index", "grouped", *(name for cell in lc.cells().values() for name in cell.names)):
        assert accepted(OPTIONS, {"order": order}) == {"order": order}


@pytest.mark.parametrize(
    "wrong",
    [
        {"zoom": "0"}, {"zoom": "37"}, {"zoom": "-4"}, {"zoom": "1e3"}, {"zoom": "nan"}, {"zoom": "²"}, {"zoom": "٣"},
        {"zoom": 6}, {"zoom": "9" * 9999}, {"zoom": "6\n"}, {"zoom": None}, {"zoom": ["6"]},
        {"order": "<b>"}, {"order": "mean"}, {"order": 3}, {"order": []},
        {"rows": "tall"}, {"pooling": {}}, {"squash": "off"}, {"squash": True}, {"rows": ""},
    ],
)  # fmt: skip
def test_what_no_look_can_be_is_left_out(wrong: dict) -> None:
    assert accepted(OPTIONS, wrong) == {}


@given(st.dictionaries(st.sampled_from(sorted(LOOKED)), st.text() | st.none() | st.integers() | st.lists(st.text())))
def test_anything_in_a_link_is_a_look_or_nothing(query: dict) -> None:
    look = accepted(OPTIONS, query)
    assert all(isinstance(value, str) and query[name] == value for name, value in look.items())
    assert accepted(OPTIONS, look) == look


def test_the_browsers_looks_are_the_pages() -> None:
    script = "".join(path.read_text("utf-8") for path in sorted((components.ASSETS / "gates").glob("*.js")))
    for option in OPTIONS:
        assert f'choose(inst, "{option.name}", ' in script, option.name
        values = option.kind.words if isinstance(option.kind, links.Decimal) else option.bounds
        for value in set(values) - set(gates_view.SIGNALS):
            assert f'"{value}"' in script, value
    assert f"[1, 1.5, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, {gates_view.WIDEST:g}]" in script
    assert f": {gates_view.NARROWEST:g};" in script


def test_a_link_tells_the_browser_once_and_then_the_person_decides() -> None:
    at = opened(look=LOOKED)
    assert at.session_state["look"] == LOOKED and told(at) == (LOOKED, 1)
    at.session_state["gates"] = {"look": {"zoom": "22", "serial": 1}}
    again(at, look=None)
    assert at.session_state["look"] == {"zoom": "22"}
    assert told(at) == (LOOKED, 1), "what the browser says does not come back to it"


def test_an_old_look_of_the_browser_does_not_undo_a_link() -> None:
    at = opened()
    at.session_state["gates"] = {"look": {"rows": "small", "serial": 0}}
    again(at)
    assert at.session_state["look"] == {"rows": "small"} and told(at) == ({}, 0)
    again(at, look=LOOKED)
    at.session_state["gates"] = {"look": {"rows": "small", "serial": 0}}
    again(at, look=None)
    assert at.session_state["look"] == LOOKED and told(at) == (LOOKED, 1)


def test_a_link_without_a_look_opens_as_at_first_sight() -> None:
    at = opened()
    at.session_state["gates"] = {"look": {"rows": "small", "serial": 0}}
    again(at)
    again(at, look={})
    assert at.session_state["look"] == {} and told(at) == ({}, 1)


def test_a_look_survives_a_visit_to_another_page() -> None:
    at = opened()
    at.session_state["gates"] = {"look": {"order": "grouped", "serial": 0}}
    again(at)
    again(at, shown=False)
    again(at, shown=True)
    assert at.session_state["look"] == {"order": "grouped"} and told(at) == ({"order": "grouped"}, 1)


@pytest.mark.parametrize(
    "nonsense", ["x", ["zoom"], {"zoom": 1e400}, {"serial": "0", "rows": "small"}, {"serial": 1, "rows": "small"}]
)
def test_a_malformed_look_changes_nothing(nonsense) -> None:
    at = opened()
    at.session_state["gates"] = {"look": nonsense}
    again(at)
    assert at.session_state["look"] == {}


# Several readers on one axis


def several() -> list[Reader]:
    return [Reader(name, traced(cell, units, layers=1, scale=scale)) for name, cell, units, scale in (
        ("one", "lstm", 12, 4), ("two", "gru", 7, 1), ("three", "peephole", 5, 1))]  # fmt: skip


def test_each_reader_keeps_its_own_units_and_signals():
    readers = several()
    packed = packing.payload(readers, [Track(k, 0) for k in range(3)], 0)
    for k, reader in enumerate(readers):
        described = packed["meta"]["tracks"][k]
        assert described["units"] == reader.trace.units
        assert [s["name"] for s in described["signals"]] == list(reader.trace.signals)
        sent = numbers(packed, "hidden", k, -1, 1).reshape(reader.trace.steps, reader.trace.units)
        assert np.abs(sent - reader.trace["hidden"][0]).max() < 4e-5
    json.dumps(packed["meta"]).encode()


def test_an_unbounded_state_of_several_models_ends_at_one_limit():
    readers = several()
    packed = packing.payload(readers, [Track(k, 0) for k in range(3)], 0)
    cells = [s["limits"] for track in packed["meta"]["tracks"] for s in track["signals"] if s["name"] == "cell"]
    own = [palette.colour_limit(readers[k].trace["cell"][0]) for k in (0, 2)]
    assert [limits[1] for limits in cells] == [max(limit for limit, _ in own)] * 2
    assert [limits[2] for limits in cells] == [most for _, most in own]
    assert own[0][0] != own[1][0], "else nothing was shared"


def test_the_layers_of_one_model_keep_their_own_limits():
    trace = traced(scale=5)
    tracks = payload(trace, (0, 1))["meta"]["tracks"]
    found = [s["limits"][1] for track in tracks for s in track["signals"] if s["name"] == "cell"]
    assert found == [palette.colour_limit(trace["cell"][layer])[0] for layer in (0, 1)]


def test_one_text_has_one_strip_and_two_texts_have_two():
    a, b = traced(), traced(text=TEXT[::-1])
    assert packing.payload([Reader("a", a), Reader("b", a)], [Track(0, 0)], 0)["meta"]["strips"] == [[0, 1]]
    assert packing.payload([Reader("a", a), Reader("b", b)], [Track(0, 0)], 0)["meta"]["strips"] == [[0], [1]]


def test_a_difference_subtracts_where_both_texts_have_a_character():
    a, b = traced(text="It was"), traced(text="Is as")
    places = np.array([0, 1, 2, 3, 4, 5, -1]), np.array([0, -1, 2, 3, 4, -1, 1])
    readers = [Reader("first", a, places[0]), Reader("second", b, places[1])]
    packed = packing.payload(readers, [Track(0, 1, minus=1)], 0)
    track = packed["meta"]["tracks"][0]
    assert track["difference"] == "first − second"
    assert {s["scale"] for s in track["signals"]} == {"diverging"}
    limits = {s["name"]: s["limits"] for s in track["signals"]}
    assert limits["forget"][:2] == (-1, 1) and limits["hidden"][:2] == (-2, 2)
    sent = numbers(packed, "forget", 0, -1, 1).reshape(7, -1)
    for column, (p, q) in enumerate(zip(*places)):
        wanted = a["forget"][1, p] - b["forget"][1, q] if min(p, q) >= 0 else np.zeros(a.units)
        assert np.abs(sent[column] - wanted).max() < 4e-5
    typed = packed["reader1"]["typed"].to_numpy()
    assert (typed == packing.GAP).tolist() == [False, True, False, False, False, True, False]
    assert np.isnan(packed["reader1"]["surprise"].to_numpy()[[1, 5]]).all()


def test_the_disagreement_travels_with_its_peaks():
    readers = several()
    between = Between(np.linspace(0, 0.321, readers[0].columns, dtype=np.float32), (5, 2))
    packed = packing.payload(readers, [Track(0, 0)], 0, between)
    assert np.array_equal(packed["between"]["disagreement"], between.values)
    assert packed["meta"]["peaks"] == [5, 2] and packed["meta"]["widest"] == pytest.approx(0.33)
    assert "between" not in packing.payload(readers, [Track(0, 0)], 0)


def test_many_models_have_a_shorter_window(monkeypatch):
    readers = several()
    tracks = [Track(k, 0) for k in range(3)]
    monkeypatch.setattr(packing, "SHORTEST_WINDOW", 3)
    monkeypatch.setattr(packing, "MOST_CELLS", 10 * (12 * 6 + 7 * 4 + 5 * 6))
    assert packing.payload(readers, tracks, 0)["meta"]["columns"] == 10


def test_a_pin_on_a_model_that_left_goes_to_one_that_is_there():
    readers, tracks = several(), [Track(k, 0) for k in range(3)]
    readers[1] = Reader("two", replace(readers[1].trace, model="another"))
    pin = {"step": 2, "unit": 11, "layer": 0, "model": "another"}
    assert gates_view._clamped(pin, readers, tracks) == pin | {"unit": 6}
    assert gates_view._clamped(pin | {"model": "gone"}, readers, tracks)["model"] == "tiny"


def test_readers_of_different_lengths_are_refused():
    readers = [Reader("a", traced()), Reader("b", traced(text="It"))]
    with pytest.raises(ValueError, match="a 22, b 2"):
        gates_view.linked_view(readers, [Track(0, 0)], key="x")


def test_the_later_bytes_of_a_character_are_joined_to_the_first():
    trace = lc.trace(CharModel(Vocabulary.of_bytes(), "gru", 5), "né")
    packed = payload(trace, (0,))
    typed = [packed["meta"]["glyphs"][k.as_py()] for k in packed["reader0"]["typed"]]
    assert [shown for shown, *_ in typed] == ["n", "é", "⋯"]
    assert packed["meta"]["rest"] == packed["reader0"]["typed"][2].as_py() and packed["meta"]["step"] == "byte"
    assert payload(traced(), (0,))["meta"]["rest"] == -1
    json.dumps(packed["meta"]).encode("utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_line_s_colour_stands_out(theme):
    def luminance(colour: str) -> float:
        srgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        return float(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    paper = luminance(palette.BACKGROUND[theme])
    for colour in palette.READER_COLOURS[theme]:
        low, high = sorted((paper, luminance(colour)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour
