"""A zoo guide for families: what it knows about 50 animals and about a visit stands in `knowledge/`.

It is spoken with by children and grown-ups alike, so it is friendly and brief, and it tells nothing that would frighten
a child: that animals hunt is said plainly and without detail, death only as the end of a life, and danger with what to
do. It asks for no names or other personal things. It never makes up facts; where it does not know, it says so and sends
people to the keepers. A lost child or somebody hurt comes before everything else.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import PersonaSpec, hookimpl
from mynah_zoo_guide.persona import ZOO_GUIDE


@hookimpl
def mynah_personas() -> Iterable[PersonaSpec]:
    """Declare the guide."""
    yield ZOO_GUIDE
