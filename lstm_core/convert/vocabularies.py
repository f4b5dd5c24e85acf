"""Which characters a foreign model's ids stand for: from its file, from a list beside it, or offered to be chosen."""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr as shorten
from typing import Any

from lstm_core.convert.draft import DEEPEST, MOST_ARRAYS, SYMBOLS_AT_MOST, ConvertError, Draft
from lstm_core.text import Vocabulary
from lstm_core.words import tr

MOST_SPECIALS = 8  # entries such as <unk> in a list of characters; with more of them it is a list of words
MOST_ENTRIES = 1_000_000  # of all lists of one file that are looked at
MOST_UNNAMED = 4  # ids that a table leaves out, such as 0 where it counts from 1
PICTURES = {
    "pad": "␀", "unk": "�", "oov": "�", "s": "␂", "sos": "␂", "bos": "␂", "go": "␂", "start": "␂", "/s": "␃", "eos": "␃",
    "end": "␃",
}  # fmt: skip
UNNAMED = 0xE000  # the first of Unicode's private characters, for what has no picture

USUAL_NAMES = re.compile(
    r"(all_?)?(chars?|characters?|letters?|tokens?|vocab(ulary)?|alphabet|symbols?|dictionary)(_?list)?"
    r"|[is]_?to_?[is]|stoi|itos|"
    r"(int|i|ix|idx|id|index|indices|num)(_?(2|to)_?)(char|chr|c|ch|token|tok|letter|symbol|s|w|word)s?|"
    r"(char|chr|c|ch|token|tok|letter|symbol|s|w|word)s?(_?(2|to)_?)(int|i|ix|idx|id|index|indices|num)s?|"
    r"(char|token|word)_?(index|indices|dict|map)|index_(char|word)|idx_word|word_idx",
    re.IGNORECASE,
)

TINY_SHAKESPEARE = "\n !$&',-.3:;?" + string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True)
class Candidate:
    """A vocabulary that would fit a model's size. Whether it is the right one, a text read with it tells.

    label: what it is called. vocabulary: the characters in the order of their ids. why: a sentence on where it is from.
    """

    label: str
    vocabulary: Vocabulary
    why: str


def candidates(draft: Draft, text: str | None = None, aside: Mapping[str, bytes] | None = None) -> tuple[Candidate, ...]:
    """The vocabularies that fit a draft's size, the surest first: none is chosen here.

    text: what the model was trained on, or a text of the same characters: its characters are offered, sorted, by frequency
    and by first appearance. aside: files given along, by name; lists among them, .json or .txt, are offered where they
    fit. Returns a tuple, empty when nothing fits.
    """
    found = []
    if draft.vocabulary is not None:
        found.append(Candidate(tr("the file's own"), draft.vocabulary, tr("It stands in the file beside the weights.")))
    for name, data in ({} if aside is None else aside).items():
        try:
            found.append(Candidate(name, from_file(data, name, draft.size), tr("It is the list that was given along.")))
        except ConvertError:
            continue  # another file than a list, or a list for another model
    found += _of_text(text, draft.size) if text else ()
    found += _standard(draft.size)
    different = {(c.vocabulary.characters, c.vocabulary.reads): c for c in reversed(found)}
    return tuple(reversed(different.values()))


def _of_text(text: str, size: int) -> Iterator[Candidate]:
    orders: dict[str, list[str]] = {
        "sorted": sorted(set(text)),
        "the most frequent first": [c for c, _ in Counter(text).most_common()],
        "in order of first appearance": list(dict.fromkeys(text)),
    }
    for order, characters in orders.items():
        label = tr("the text's characters, {order}", order=order)
        if len(characters) == size:
            yield Candidate(
                label, Vocabulary(characters), tr("The text has {size} different characters, as many as the model.", size=size)
            )
        if len(characters) == size - 1 and not {"␀", "�"} & set(characters):
            for where, padded in ((tr("id 0"), ["␀", *characters]), (tr("the last id"), [*characters, "�"])):
                why = tr(
                    "The text has {size} different characters; {where} of the {size_2} would be kept for none of them.",
                    size=size - 1,
                    where=where,
                    size_2=size,
                )
                yield Candidate(tr("{label}, and {where} for none", label=label, where=where), Vocabulary(padded), why)


def _standard(size: int) -> Iterator[Candidate]:
    lists = {
        "Python's string.printable": (
            string.printable,
            tr("Python's string.printable, as it stands: digits, letters, signs, blanks."),
        ),
        "tinyshakespeare's characters": (TINY_SHAKESPEARE, tr("The 65 characters of the corpus tinyshakespeare, sorted.")),
        "ASCII": ("".join(map(chr, range(128))), tr("The 128 characters of ASCII, in their order.")),
        "printable ASCII": ("".join(map(chr, range(32, 127))), tr("The 95 printable characters of ASCII, in their order.")),
    }
    for label, (characters, why) in lists.items():
        if len(characters) == size:
            yield Candidate(label, Vocabulary(characters), why)
    if size == 256:
        yield Candidate("bytes", Vocabulary.of_bytes(), tr("256 symbols: the bytes of a text's UTF-8, one a step."))


# Lists as people keep them


def in_facts(facts: Mapping[str, Any], size: int) -> tuple[Vocabulary | None, tuple[str, ...]]:
    """The vocabulary among what a file holds beside its weights, and sentences on what else looked like one.

    facts: values by dotted names: texts, lists of characters, tables from character to id or from id to character. size:
    how many symbols the model predicts. Raises ConvertError when what is named as the vocabulary holds words.
    The names in use: chars, tokens, vocab, stoi, int2char and the like.
    """
    fitting: list[tuple[int, str, Vocabulary, tuple[str, ...]]] = []
    remarks: list[str] = []
    words, room = "", MOST_ENTRIES
    for place, (name, value) in enumerate(facts.items()):
        usual = USUAL_NAMES.fullmatch(name.rpartition(".")[2]) is not None
        if isinstance(value, (set, frozenset)):
            if usual:
                remarks.append(
                    tr(
                        "{cited} is a set of {value_count}, which has no order, so that no ids follow from it",
                        cited=_cited(name),
                        value_count=len(value),
                    )
                )
            continue
        count = len(value) if isinstance(value, (str, list, tuple, Mapping)) else 0
        room -= count if usual or count == size else 0
        table = _table(value) if (usual or count == size) and room >= 0 else {}
        if not table:
            continue
        if _holds_words(table):
            words = words or (_word_in(name, table) if usual and len(table) == size else "")
            continue
        vocabulary, remark = _fitted(table, size, isinstance(value, Mapping))
        if vocabulary is None:
            if usual:
                remarks.append(f"{_cited(name)} {remark}")
            continue
        rank = (0 if usual else 10_000) + (0 if isinstance(value, Mapping) else 5_000) + min(place, 4_999)
        fitting.append((rank, name, vocabulary, (remark,) if remark else ()))
    if not fitting:
        if words:
            raise ConvertError(words)
        return None, tuple(remarks)
    _, name, vocabulary, more = min(fitting, key=lambda f: f[0])
    others = [n for _, n, v, _ in fitting if v.characters != vocabulary.characters]
    if others:
        remarks.append(
            tr(
                "{cited} gives the characters in another order than {cited_2}, which is taken",
                cited=_cited(others[0]),
                cited_2=_cited(name),
            )
        )
    return vocabulary, (*remarks, *(f"{_cited(name)}: {remark}" for remark in more))


def _cited(name: str) -> str:
    return f"“{name[-60:]}”"


def _table(value: Any) -> dict[int, str | bytes]:
    """id -> entry, from a text, a list, or a table in either direction; empty for anything else."""
    if not isinstance(value, (str, list, tuple, Mapping)) or len(value) > SYMBOLS_AT_MOST:
        return {}
    if isinstance(value, (str, list, tuple)):
        return dict(enumerate(value)) if all(isinstance(entry, (str, bytes)) for entry in value) else {}
    if all(isinstance(entry, (str, bytes)) for entry in value) and all(_is_id(number) for number in value.values()):
        table = {number: entry for entry, number in value.items()}
        return table if len(table) == len(value) else {}
    if all(isinstance(entry, (str, bytes)) for entry in value.values()):
        numbers = [_as_id(key) for key in value]
        if None not in numbers and len(set(numbers)) == len(numbers):
            return dict(zip((n for n in numbers if n is not None), value.values()))
    return {}


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _as_id(key: Any) -> int | None:
    """A table's key as an id; JSON has no other keys than texts."""
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 8:
        return int(key)
    return key if _is_id(key) else None


def _holds_words(table: Mapping[int, str | bytes]) -> bool:
    return sum(len(entry) != 1 for entry in table.values()) > min(MOST_SPECIALS, (len(table) + 1) // 2)


def _word_in(name: str, table: Mapping[int, str | bytes]) -> str:
    word = next(entry for entry in table.values() if len(entry) > 1)
    return tr(
        "the model reads words or parts of them ({cited} has {shorten}), not characters: it is not supported",
        cited=_cited(name),
        shorten=shorten(word),
    )


def _fitted(table: Mapping[int, str | bytes], size: int, is_table: bool) -> tuple[Vocabulary | None, str]:
    """A vocabulary of exactly `size` entries, or None; and a remark on what was added, or on why there is none."""
    if len(set(table.values())) < len(table):
        return None, tr("names a character twice")
    if max(table) >= size:
        return None, tr(
            "has {table_count} entries up to id {table}, but the model predicts {size} symbols",
            table_count=len(table),
            table=max(table),
            size=size,
        )
    missing = [k for k in range(size) if k not in table]
    if missing and not (is_table and len(missing) <= MOST_UNNAMED):
        return None, tr("has {table_count} entries, but the model predicts {size} symbols", table_count=len(table), size=size)
    if all(isinstance(entry, bytes) for entry in table.values()) and not missing:
        single = [entry[0] for _, entry in sorted(table.items()) if isinstance(entry, bytes) and len(entry) == 1]
        return (Vocabulary.of_bytes(single), "") if len(single) == size else (None, tr("holds more than single bytes"))
    texts = {k: entry if isinstance(entry, str) else entry.decode("utf-8", "replace") for k, entry in table.items()}
    special = {k: texts.get(k, "") for k in range(size) if not _is_character(texts.get(k, ""))}
    taken = {text for k, text in texts.items() if k not in special}
    characters = [texts[k] if k not in special else _picture(special[k], taken) for k in range(size)]
    if len(set(characters)) < size:
        return None, tr("names a character twice")
    shown = [tr("{value} as {characters}", value=special[k] or f"id {k}", characters=characters[k]) for k in list(special)[:4]]
    return Vocabulary(characters), tr(
        "what is no character is shown as a picture: {shown}", shown=", ".join(shown)
    ) if shown else ""


def _is_character(entry: str) -> bool:
    """Whether a text can hold it: half of a surrogate pair is none."""
    return len(entry) == 1 and not "\ud800" <= entry <= "\udfff"


def _picture(entry: str, taken: set[str]) -> str:
    """A character that stands for an entry that is none, and that is not taken yet; `taken` then holds it."""
    wanted = PICTURES.get(entry.strip("<>[]_| ").lower(), "␀" if not entry else "")
    picture = wanted if wanted and wanted not in taken else next(c for c in map(chr, range(UNNAMED, 0xF8FF)) if c not in taken)
    taken.add(picture)
    return picture


def from_file(data: bytes, name: str, size: int) -> Vocabulary:
    """The list of characters in a .json or .txt file, for a model of `size` symbols.

    JSON: a text, a list, or a table from character to id or from id to character, alone or under a name. Text: one
    character a line, or all characters in their order. Raises ConvertError when it is neither, or of another size; the
    sentence names both counts. The names in use: chars, tokens, vocab, stoi, int2char and the like.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConvertError(tr("{shorten} is no list of characters: it is not UTF-8", shorten=shorten(name))) from None
    facts = _json_facts(text)
    if facts is None:
        facts = {"characters": _lines(text, size)}
    vocabulary, remarks = in_facts(facts, size)
    if vocabulary is None:
        reason = remarks[0].partition("” ")[2] if remarks else tr("holds no list of characters")
        raise ConvertError(f"{shorten(name)} {reason}")
    return vocabulary


def _json_facts(text: str) -> dict[str, Any] | None:
    """What JSON holds, by dotted names; None when it is none. A bare number or word is no JSON here, but a text."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return dict(flattened(parsed, "vocabulary"))


def flattened(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every text, list and table in nested plain data, by its dotted name, from the outside in; at most some thousands.

    value: what JSON holds. name: what it is called itself. depth: how deep it lies already.
    """
    if name and isinstance(value, (str, list, tuple, dict)):
        yield name, value
    if depth < DEEPEST and isinstance(value, dict):
        for key, inner in list(value.items())[:MOST_ARRAYS]:
            if isinstance(inner, (dict, list, tuple)) or (isinstance(inner, str) and len(inner) > 1):
                yield from flattened(inner, f"{name}.{key}" if name else str(key), depth + 1)


ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\s": " ", "\\\\": "\\"}


def _lines(text: str, size: int) -> Sequence[str]:
    """One entry a line, else all characters in their order (a line break at the very end may be the editor's)."""
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    if len(text) > 2 and set(text[1::2]) == {"\n"} and len(text[::2]) >= size:
        return list(text[::2])[:size] if len(text[::2]) == size else list(text[::2])
    lines = text.removesuffix("\n").split("\n")
    if len(lines) == size and len(lines) > 1:
        return [ESCAPES.get(line, line) for line in lines]
    return list(text[:-1] if len(text) == size + 1 and text.endswith("\n") else text)
