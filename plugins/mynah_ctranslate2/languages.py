"""NLLB's codes of languages (those of FLORES-200), by tag."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

from mynah import primary_language

_CODES: Final = (
    "af afr_Latn am amh_Ethi ar arb_Arab az azj_Latn be bel_Cyrl bg bul_Cyrl bn ben_Beng bs bos_Latn ca cat_Latn"
    " cs ces_Latn cy cym_Latn da dan_Latn de deu_Latn el ell_Grek en eng_Latn eo epo_Latn es spa_Latn et est_Latn"
    " eu eus_Latn fa pes_Arab fi fin_Latn fr fra_Latn ga gle_Latn gl glg_Latn gu guj_Gujr ha hau_Latn he heb_Hebr"
    " hi hin_Deva hr hrv_Latn ht hat_Latn hu hun_Latn hy hye_Armn id ind_Latn ig ibo_Latn is isl_Latn it ita_Latn"
    " ja jpn_Jpan ka kat_Geor kk kaz_Cyrl km khm_Khmr kn kan_Knda ko kor_Hang ku kmr_Latn ky kir_Cyrl lo lao_Laoo"
    " lt lit_Latn lv lvs_Latn mk mkd_Cyrl ml mal_Mlym mn khk_Cyrl mr mar_Deva ms zsm_Latn mt mlt_Latn my mya_Mymr"
    " ne npi_Deva nl nld_Latn no nob_Latn nb nob_Latn nn nno_Latn pa pan_Guru pl pol_Latn ps pbt_Arab pt por_Latn"
    " ro ron_Latn ru rus_Cyrl si sin_Sinh sk slk_Latn sl slv_Latn so som_Latn sq als_Latn sr srp_Cyrl sv swe_Latn"
    " sw swh_Latn ta tam_Taml te tel_Telu th tha_Thai ti tir_Ethi tl tgl_Latn fil tgl_Latn tr tur_Latn uk ukr_Cyrl"
    " ur urd_Arab uz uzn_Latn vi vie_Latn xh xho_Latn yo yor_Latn yue yue_Hant zh zho_Hans cmn zho_Hans zu zul_Latn"
)
_TRADITIONAL: Final = ("hant", "tw", "hk", "mo")


@cache
def _by_tag() -> dict[str, str]:
    words = _CODES.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def nllb_code(tag: str, known: Collection[str]) -> str | None:
    """Return NLLB's code of a language among those that a model knows; a code is taken for itself."""
    if tag in known:
        return tag
    parts = tag.replace("_", "-").lower().split("-")
    code = _by_tag().get(primary_language(tag))
    if code == "zho_Hans" and any(part in _TRADITIONAL for part in parts[1:]):
        code = "zho_Hant"
    return code if code in known else None
