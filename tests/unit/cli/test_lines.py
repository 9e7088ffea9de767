"""Lines of a stream in chunks, from a real pipe."""

import asyncio
import os
import threading
from contextlib import aclosing, suppress

import pytest

from vextir_os.cli.lines import chunks
from vextir_os.errors import TooLargeError


def fed(content: bytes) -> int:
    """Return the reading end of a pipe that gives this and ends."""
    reading, writing = os.pipe()

    def write() -> None:
        # Who has refused a line reads no more.
        with suppress(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as stream:
            stream.write(content)

    threading.Thread(target=write).start()
    return reading


async def test_lines_come_in_chunks_with_their_numbers_and_blank_ones_do_not_come() -> None:
    reading = fed(b"one\n\n  \ntwo\r\nthree")
    assert [chunk async for chunk in chunks(reading, size=2)] == [[(1, b"one"), (4, b"two\r")], [(5, b"three")]]
    os.close(reading)


@pytest.mark.parametrize("content", [b"", b"\n\n"], ids=["nothing", "blank"])
async def test_a_stream_without_lines_has_no_chunks(content: bytes) -> None:
    reading = fed(content)
    assert [chunk async for chunk in chunks(reading)] == []
    os.close(reading)


async def test_many_lines_all_come_once_and_in_order() -> None:
    reading = fed(b"".join(b"%d %s\n" % (number, b"x" * (number % 97)) for number in range(1, 20_001)))
    found = [each for chunk in [chunk async for chunk in chunks(reading)] for each in chunk]
    assert [number for number, _ in found] == [*range(1, 20_001)]
    assert all(line.startswith(b"%d " % number) for number, line in found)
    os.close(reading)


async def test_a_line_over_the_limit_is_refused_before_it_fills_the_memory() -> None:
    reading = fed(b"short\n" + b"x" * 200_000)
    found = chunks(reading, limit_bytes=1_000)
    assert await anext(found) == [(1, b"short")]
    with pytest.raises(TooLargeError, match="line 2: over 1000 bytes"):
        await anext(found)
    os.close(reading)


async def test_what_has_come_is_not_held_back_for_what_has_not() -> None:
    reading, writing = os.pipe()
    async with aclosing(chunks(reading)) as found:
        os.write(writing, b"first\n")
        async with asyncio.timeout(30):
            assert await anext(found) == [(1, b"first")]
            os.write(writing, b"second\n")
            os.close(writing)
            assert await anext(found) == [(2, b"second")]
    os.close(reading)
