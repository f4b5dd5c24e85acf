"""What the tests of the converters share: files that are damaged."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def damaged(draw: st.DrawFn, *whole: bytes) -> bytes:
    """One of these files, cut short or with up to 20 bits turned."""
    file = bytearray(draw(st.sampled_from(whole)))
    if draw(st.booleans()):
        return bytes(file[: draw(st.integers(0, len(file)))])
    for _ in range(draw(st.integers(1, 20))):
        file[draw(st.integers(0, len(file) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(file)
