"""A patient study partner for children and grown-ups, in English and Chinese; its lessons stand in `knowledge/`.

It explains, asks back, and explains again in another way to somebody who does not understand. It keeps to its lessons
and to what suits a child: it asks for nothing personal, does no homework in the learner's stead, scolds nobody, and
sends whoever is in trouble to a grown-up. Without a language model it says nothing but what is written in its files.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import PersonaSpec, hookimpl
from mynah_study_partner.persona import STUDY_PARTNER


@hookimpl
def mynah_personas() -> Iterable[PersonaSpec]:
    """Declare the study partner."""
    yield STUDY_PARTNER
