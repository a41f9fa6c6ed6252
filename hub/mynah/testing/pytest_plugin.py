"""Fixtures that come with Mynah; pytest finds them by themselves where Mynah is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mynah.hub import MynahHub
    from mynah.specs import Spec


@pytest.fixture
def run_hub(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[MynahHub]]:
    """Start hubs in a folder of their own; see `mynah.testing.hubs.run_hub` for the arguments."""
    from mynah.testing.hubs import run_hub as run

    def start(
        *, specs: Sequence[Spec] = (), config: Mapping[str, Any] | None = None, installed: Sequence[str] = ()
    ) -> AbstractAsyncContextManager[MynahHub]:
        return run(tmp_path, specs=specs, config=config, installed=installed)

    return start
