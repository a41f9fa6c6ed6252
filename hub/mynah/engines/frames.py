"""The frames between `mynah.engines.worker` and its child, `mynah.engines.worker_main`.

A frame is a length (4 bytes, big-endian) and a pickled tuple. To the child: `("start", arguments, log_level)` once,
then `("job", id, method, arguments)`, `("item", id, object)`, `("end", id)`, `("cancel", id)`. From the child:
`("ready",)` or `("unavailable", text)` once, then `("taken", id, count)` for items consumed, `("out", id, object)`,
`("done", id)` (also the answer to a cancel), `("failed", id, text)`, and `("log", level, logger, text)`.
"""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO, Final

LENGTH: Final = struct.Struct(">I")


def pack(*message: object) -> bytes:
    """Return `message` as a frame."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


def read_frame(stream: BinaryIO) -> tuple[Any, ...] | None:
    """Return the next message, or None where the stream ends."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = stream.read(size)
    # The peer is this program's own parent or child, so the pickle is trusted.
    return tuple(pickle.loads(body)) if len(body) == size else None
