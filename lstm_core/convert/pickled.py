"""Pickles read as data: nothing is imported, called or constructed. What a class or a function would make is noted instead.

Source: the opcodes of CPython's Lib/pickletools.py, protocols 0 to 5; PEP 307, PEP 3154, PEP 574.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from reprlib import repr as shorten
from typing import Any

from lstm_core.convert.draft import ConvertError
from lstm_core.words import N_, tr

MOST_OPERATIONS = 1_000_000  # one takes about a microsecond, and makes an object of some hundred bytes at most
NOTE_SIZE = 400  # bytes that the note of a call takes
LONGEST_NAME = 1000
MOST_MEMORY = 64 << 20  # bytes of text, numbers and tables in one pickle; arrays of torch lie outside of it


@dataclass(frozen=True)
class Name:
    """A class or function that a pickle names, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Inert:
    """What a call would have made: who was to be called, with what, and what was put into it afterwards.

    kind: the class or function. args: its arguments. state: what the object's __setstate__ or __dict__ would have got.
    items: what was appended to it, or put into it by key.
    """

    kind: Name
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)
    entries: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Persistent:
    """What a pickle keeps elsewhere: for torch, a storage of numbers."""

    id: Any


class _Mark:
    """Where a tuple, list or dictionary begins on the stack."""


MARK = _Mark()


def _is_key(key: Any) -> bool:
    """What hashes and compares quickly in any file: not a tuple of tuples, nor a number that hashes like another."""
    return isinstance(key, (str, bytes, type(None))) or (isinstance(key, int) and abs(key) < 1 << 53)


class Unpickler:
    """Reads one pickle from bytes. `position` is where it ended.

    data: the bytes. position: where the pickle begins. Raises ConvertError, one sentence, for what is no whole pickle or too
    large. A subclass may make more of a call, or of what is kept elsewhere, than a note: see `call` and `kept_elsewhere`.
    """

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data, self.position = data, position
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.room, self.operations = MOST_MEMORY, MOST_OPERATIONS

    def load(self) -> Any:
        """The object. Raises ConvertError; never runs anything of the file."""
        for _ in range(self.operations):
            opcode = self.take(1)
            if opcode == b".":
                return self.pop()
            operation = OPERATIONS.get(opcode)
            if operation is None:
                raise ConvertError(
                    tr(
                        "the pickle is damaged: at byte {position} stands {opcode!r}, which means nothing",
                        position=self.position - 1,
                        opcode=opcode,
                    )
                )
            operation(self)
        raise ConvertError(tr("the pickle has more than {self.operations:,} operations", self=self))

    # the bytes

    def take(self, count: int) -> bytes:
        """The next bytes. Raises ConvertError when there are fewer."""
        taken = self.data[self.position : self.position + count]
        if count < 0 or len(taken) < count:
            raise ConvertError(tr("the pickle ends in its middle: the file is damaged or not complete"))
        self.position += count
        return taken

    def line(self) -> bytes:
        """The bytes to the end of the line, without it."""
        end = self.data.find(b"\n", self.position, self.position + (1 << 16))
        if end < 0:
            raise ConvertError(tr("the pickle ends in its middle: the file is damaged or not complete"))
        return self.take(end + 1 - self.position)[:-1]

    def number(self, shape: str) -> Any:
        """A number as `struct` describes it."""
        return struct.unpack(shape, self.take(struct.calcsize(shape)))[0]

    def counted(self, shape: str) -> bytes:
        """Bytes whose number stands before them."""
        size = self.number(shape)
        self.spend(size)
        return self.take(size)

    def spend(self, size: int) -> None:
        """Counts bytes of memory. Raises ConvertError when it is too many of them."""
        self.room -= size
        if self.room < 0:
            raise ConvertError(
                tr("the pickle holds more than {most_memory} MB of text and lists", most_memory=MOST_MEMORY >> 20)
            )

    # the stack

    def push(self, value: Any) -> None:
        """Puts a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Takes a value from the stack. Raises ConvertError when there is none."""
        if not self.stack or self.stack[-1] is MARK:
            raise ConvertError(tr("the pickle is damaged: it uses a value that it never made"))
        return self.stack.pop()

    def top(self) -> Any:
        """The value on top of the stack, which stays there."""
        value = self.pop()
        self.push(value)
        return value

    def to_mark(self) -> list[Any]:
        """Takes everything above the last mark, and the mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is MARK:
                values = self.stack[place + 1 :]
                del self.stack[place:]
                return values
        raise ConvertError(tr("the pickle is damaged: it closes what it never opened"))

    def recall(self, key: int) -> None:
        """Puts what was remembered under a number on the stack."""
        if key not in self.memo:
            raise ConvertError(tr("the pickle is damaged: it recalls number {key}, which it never kept", key=key))
        self.push(self.memo[key])

    def remember(self, key: int) -> None:
        """Keeps the value on top of the stack under a number."""
        self.memo[key] = self.top()

    # what calls and containers become

    def named(self, module: Any, name: Any) -> None:
        """A class or function, by its name alone."""
        self.push(Name(_text(module), _text(name)))

    def make(self, kind: Any, args: Any) -> None:
        """Notes a call."""
        if not isinstance(args, tuple):
            raise ConvertError(tr("the pickle is damaged: it calls something without a list of arguments"))
        if not isinstance(kind, Name):  # a method, or what a call returned: still nothing is called
            kind = Name("", type(kind).__name__)
        self.push(self.call(kind, args))

    def call(self, kind: Name, args: tuple[Any, ...]) -> Any:
        """A call as plain data: containers of the standard library as they are, anything else as `Inert`."""
        match str(kind).replace("__builtin__", "builtins"), args:
            case (("collections.OrderedDict" | "builtins.dict"), ()):
                return {}
            case "collections.defaultdict", ():
                return {}
            case "collections.defaultdict", (_,):
                return {}
            case (("collections.Counter" | "collections.OrderedDict" | "builtins.dict"), (dict() as table,)):
                return table
            case (("collections.OrderedDict" | "builtins.dict"), (list() as pairs,)):
                return self.table(
                    [part for pair in pairs if isinstance(pair, (list, tuple)) and len(pair) == 2 for part in pair]
                )
            case (("builtins.list" | "builtins.tuple"), ((list() | tuple()) as items,)):
                return items
            case (("builtins.bytes" | "builtins.bytearray"), ()):
                return b""
            case "builtins.bytearray", (bytes() as data,):
                return data
            case (("_codecs.encode" | "builtins.bytearray"), (str() as text, "latin1" | "latin-1")):
                self.spend(len(text))
                return text.encode("latin-1", "replace")
        return self.note(kind, args)

    def note(self, kind: Name, args: tuple[Any, ...] = (), items: Sequence[Any] = ()) -> Inert:
        """A call that nothing more is made of. Raises ConvertError when there are too many."""
        self.spend(NOTE_SIZE)
        return Inert(kind, args, items=list(items))

    def kept_elsewhere(self, identity: Any) -> Any:
        """What a pickle keeps elsewhere, as a note."""
        return Persistent(identity)

    def build(self) -> None:
        """Notes what an object's state would have become."""
        state, target = self.pop(), self.top()
        if isinstance(target, Inert):
            target.state = state

    def append(self, values: list[Any]) -> None:
        """Adds to a list or set."""
        target = self.top()
        if isinstance(target, Inert):
            target.items.extend(values)
        elif isinstance(target, list):
            target.extend(values)
        else:
            raise ConvertError(tr("the pickle is damaged: it appends to a {name}", name=type(target).__name__))

    def put(self, flat: list[Any]) -> None:
        """Fills a dictionary."""
        target = self.top()
        table = target.entries if isinstance(target, Inert) else target
        if not isinstance(table, dict):
            raise ConvertError(tr("the pickle is damaged: it puts keys into a {name}", name=type(target).__name__))
        self.fill(table, flat)

    def table(self, flat: list[Any]) -> dict[Any, Any]:
        """A dictionary of key, value, key, value, ..."""
        table: dict[Any, Any] = {}
        self.fill(table, flat)
        return table

    def fill(self, table: dict[Any, Any], flat: list[Any]) -> None:
        """Puts key, value, key, value, ... into a dictionary; a key that would take long to hash is numbered instead."""
        if len(flat) % 2:
            raise ConvertError(tr("the pickle is damaged: a dictionary has a key without a value"))
        self.spend(50 * len(flat))
        for key, value in zip(flat[::2], flat[1::2]):
            table[key if _is_key(key) else tr("<key {table_count}>", table_count=len(table))] = value


def _text(value: Any) -> str:
    if not isinstance(value, (str, bytes)) or len(value) > LONGEST_NAME:
        raise ConvertError(tr("the pickle is damaged: it names a class by something that is no name"))
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _unicode(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # Python 2 wrote its bytes as text
        return data.decode("latin-1")


def _long(data: bytes) -> int:
    if len(data) > 64:
        raise ConvertError(tr("the pickle holds a whole number of {data_count:,} bytes", data_count=len(data)))
    return int.from_bytes(data, "little", signed=True)


def _decimal(line: bytes) -> int | bool:
    """Protocol 0's whole numbers, and its truth values 00 and 01."""
    if line in (b"00", b"01"):
        return line == b"01"
    try:
        return int(line[:40].rstrip(b"L"))
    except ValueError:
        raise ConvertError(tr("the pickle is damaged: {shorten} is no whole number", shorten=shorten(line))) from None


def _real(line: bytes) -> float:
    try:
        return float(line[:40])
    except ValueError:
        raise ConvertError(tr("the pickle is damaged: {shorten} is no number", shorten=shorten(line))) from None


def _quoted(line: bytes) -> str:
    """Protocol 0's text in quotes; escapes beyond quotes and backslashes stay as they are."""
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise ConvertError(tr("the pickle is damaged: a text has no end"))
    return line[1:-1].decode("latin-1").replace("\\n", "\n").replace("\\'", "'").replace("\\\\", "\\")


def _raw_unicode(line: bytes) -> str:
    try:
        return line.decode("raw-unicode-escape")
    except UnicodeDecodeError:
        raise ConvertError(tr("the pickle is damaged: a text is not well formed")) from None


def _copy(u: Unpickler) -> None:
    u.push(u.top())


def _drop(u: Unpickler) -> None:
    """Takes what is on top of the stack, a mark as well."""
    if u.stack and u.stack[-1] is MARK:
        u.stack.pop()
    else:
        u.pop()


def _some(count: int) -> Callable[[Unpickler], None]:
    def tuple_of(u: Unpickler) -> None:
        u.push(tuple(reversed([u.pop() for _ in range(count)])))

    return tuple_of


def _refuse(what: str) -> Callable[[Unpickler], None]:
    def refuse(u: Unpickler) -> None:
        raise ConvertError(tr("the pickle uses {what}, which no model needs", what=what))

    return refuse


def _reduce(u: Unpickler) -> None:
    args, kind = u.pop(), u.pop()
    u.make(kind, args)


def _new_with_keywords(u: Unpickler) -> None:
    _, args, kind = u.pop(), u.pop(), u.pop()
    u.make(kind, args)


def _object(u: Unpickler) -> None:
    values = u.to_mark()
    u.make(values[0] if values else None, tuple(values[1:]))


def _instance(u: Unpickler) -> None:
    module, name = u.line(), u.line()
    u.named(module, name)
    kind = u.pop()
    u.make(kind, tuple(u.to_mark()))


def _stack_name(u: Unpickler) -> None:
    name, module = u.pop(), u.pop()
    u.named(module, name)


def _frozen(u: Unpickler) -> None:
    u.push(u.note(Name("builtins", "frozenset"), items=u.to_mark()))


def _one_entry(u: Unpickler) -> None:
    value, key = u.pop(), u.pop()
    u.put([key, value])


def _one_item(u: Unpickler) -> None:
    value = u.pop()
    u.append([value])


def _pop_mark(u: Unpickler) -> None:
    u.to_mark()


OPERATIONS: dict[bytes, Callable[[Unpickler], None]] = {
    b"\x80": lambda u: _protocol(u.number("<B")),
    b"\x95": lambda u: u.number("<Q"),  # frames say how far to read ahead: nothing is
    # numbers and nothing
    b"N": lambda u: u.push(None),
    b"\x88": lambda u: u.push(True),
    b"\x89": lambda u: u.push(False),
    b"I": lambda u: u.push(_decimal(u.line())),
    b"L": lambda u: u.push(_decimal(u.line())),
    b"F": lambda u: u.push(_real(u.line())),
    b"J": lambda u: u.push(u.number("<i")),
    b"K": lambda u: u.push(u.number("<B")),
    b"M": lambda u: u.push(u.number("<H")),
    b"G": lambda u: u.push(u.number(">d")),
    b"\x8a": lambda u: u.push(_long(u.counted("<B"))),
    b"\x8b": lambda u: u.push(_long(u.counted("<I"))),
    # text and bytes; what Python 2 wrote as "str" is text where it is UTF-8
    b"S": lambda u: u.push(_quoted(u.line())),
    b"T": lambda u: u.push(_unicode(u.counted("<I"))),
    b"U": lambda u: u.push(_unicode(u.counted("<B"))),
    b"V": lambda u: u.push(_raw_unicode(u.line())),
    b"X": lambda u: u.push(_unicode(u.counted("<I"))),
    b"\x8c": lambda u: u.push(_unicode(u.counted("<B"))),
    b"\x8d": lambda u: u.push(_unicode(u.counted("<Q"))),
    b"B": lambda u: u.push(u.counted("<I")),
    b"C": lambda u: u.push(u.counted("<B")),
    b"\x8e": lambda u: u.push(u.counted("<Q")),
    b"\x96": lambda u: u.push(u.counted("<Q")),
    b"\x97": _refuse(N_("out-of-band buffers")),
    b"\x98": _refuse(N_("out-of-band buffers")),
    # containers
    b"(": lambda u: u.push(MARK),
    b")": lambda u: u.push(()),
    b"]": lambda u: u.push([]),
    b"}": lambda u: u.push({}),
    b"\x8f": lambda u: u.push(u.note(Name("builtins", "set"))),  # not a list: its order means nothing
    b"\x91": _frozen,
    b"t": lambda u: u.push(tuple(u.to_mark())),
    b"l": lambda u: u.push(u.to_mark()),
    b"d": lambda u: u.push(u.table(u.to_mark())),
    b"\x85": _some(1),
    b"\x86": _some(2),
    b"\x87": _some(3),
    b"a": _one_item,
    b"e": lambda u: u.append(u.to_mark()),
    b"\x90": lambda u: u.append(u.to_mark()),
    b"s": _one_entry,
    b"u": lambda u: u.put(u.to_mark()),
    # the stack and what is kept
    b"0": _drop,
    b"1": _pop_mark,
    b"2": _copy,
    b"p": lambda u: u.remember(_decimal(u.line())),
    b"q": lambda u: u.remember(u.number("<B")),
    b"r": lambda u: u.remember(u.number("<I")),
    b"\x94": lambda u: u.remember(len(u.memo)),
    b"g": lambda u: u.recall(_decimal(u.line())),
    b"h": lambda u: u.recall(u.number("<B")),
    b"j": lambda u: u.recall(u.number("<I")),
    # classes, calls and what is kept elsewhere
    b"c": lambda u: u.named(u.line(), u.line()),
    b"\x93": _stack_name,
    b"R": _reduce,
    b"\x81": _reduce,
    b"\x92": _new_with_keywords,
    b"o": _object,
    b"i": _instance,
    b"b": lambda u: u.build(),
    b"P": lambda u: u.push(u.kept_elsewhere(u.line().decode("latin-1"))),
    b"Q": lambda u: u.push(u.kept_elsewhere(u.pop())),
    b"\x82": _refuse(N_("the registry of extensions")),
    b"\x83": _refuse(N_("the registry of extensions")),
    b"\x84": _refuse(N_("the registry of extensions")),
}


def _protocol(version: int) -> None:
    if version > 5:
        raise ConvertError(tr("the pickle has protocol {version}; 0 to 5 are read", version=version))
