"""What becomes of a trigger while the automation still runs."""

from __future__ import annotations

import pytest

CONFIG = """
automations:
  - alias: Slow
    mode: {mode}
    triggers: [{{trigger: event, event_type: go}}]
    actions:
      - note: "begin {{{{ trigger.event.data.n }}}}"
      - delay: 10
      - note: "end {{{{ trigger.event.data.n }}}}"
"""


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("single", ["begin 1", "end 1"]),
        ("restart", ["begin 1", "begin 2", "begin 3", "end 3"]),
        ("queued", ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]),
        ("parallel", ["begin 1", "begin 2", "begin 3", "end 1", "end 2", "end 3"]),
    ],
)
def test_three_triggers_in_three_seconds(act, mode, expected):
    async def scenario(stage):
        for n in (1, 2, 3):
            await stage.fire("go", n=n)
            await stage.sleep(seconds=1)
        await stage.sleep(minutes=1)

    assert act(CONFIG.format(mode=mode), scenario).texts == expected
