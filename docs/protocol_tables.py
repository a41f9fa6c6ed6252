"""Write the tables of docs/protocol.md anew from the declarations of the messages: `python docs/protocol_tables.py`."""

from __future__ import annotations

import re
from pathlib import Path

from mynah_websocket.client_messages import CLIENT_MESSAGES, Interpret, Resume
from mynah_websocket.hub_messages import CODES, HUB_MESSAGES
from mynah_websocket.schema import name_of, table

PAGE = Path(__file__).with_name("protocol.md")


def filled(page: str) -> str:
    """Return the page with every generated part as the declarations have it now."""
    parts = {
        f"message: {direction} {name_of(cls)}": f"{cls.__doc__}\n\n{table(cls)}"
        for direction, classes in (("to-hub", CLIENT_MESSAGES), ("from-hub", HUB_MESSAGES))
        for cls in classes
    }
    parts["message: resume"] = f"The object `resume`: {Resume.__doc__}\n\n{table(Resume)}"
    parts["message: interpret"] = f"The object `interpret`: {Interpret.__doc__}\n\n{table(Interpret)}"
    rows = "".join(f"\n| `{code}` | {meaning} |" for code, meaning in CODES.items())
    parts["codes"] = f"| code | meaning |\n|---|---|{rows}"
    for mark, text in parts.items():
        end = mark.split(":", maxsplit=1)[0]
        pattern = re.compile(rf"(<!-- {re.escape(mark)} -->\n).*?(<!-- /{end} -->)", re.DOTALL)
        literal = text.replace("\\", "\\\\")
        page, count = pattern.subn(rf"\g<1>{literal}\n\n\g<2>", page)
        if count != 1:
            raise LookupError(f"docs/protocol.md has the mark '<!-- {mark} -->' {count} times; it needs it once")
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
