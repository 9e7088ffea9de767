"""A second process on the same database file: `python -m tests.support.sqlite_child <command> <path> …`.

What it did, it says on its standard output, one line each, flushed.
"""

import asyncio
import sqlite3
import sys
from pathlib import Path

from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.ports.queue import Message


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def send(path: Path, name: str, count: int) -> None:
    """Send messages one by one; say each number once its send was answered."""
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        queue = storage.queue("q")
        for number in range(count):
            await queue.send([Message(id=f"{name}-{number}", body=b"x" * 200, flow=name)])
            say(f"{name}-{number}")


async def receive(path: Path, quiet_s: float) -> None:
    """Receive and complete until nothing came for a while; say each id once it was completed."""
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        queue = storage.queue("q")
        while deliveries := await queue.receive(8, quiet_s):
            for delivery in deliveries:
                await queue.complete(delivery.token)
                say(delivery.message.id)


def hold(path: Path) -> None:
    """Take the write lock, say so, and keep it until standard input ends."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    say("held")
    sys.stdin.read()
    connection.execute("ROLLBACK")
    connection.close()


async def open_only(path: Path) -> None:
    """Open the file, declare a queue, and say so."""
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        say("open")


def main() -> None:
    """Run one command."""
    command, path = sys.argv[1], Path(sys.argv[2])
    if command == "send":
        asyncio.run(send(path, sys.argv[3], int(sys.argv[4])))
    elif command == "receive":
        asyncio.run(receive(path, float(sys.argv[3])))
    elif command == "hold":
        hold(path)
    else:
        asyncio.run(open_only(path))


if __name__ == "__main__":
    main()
