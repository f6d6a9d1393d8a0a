"""How persons are made of faces, as the settings say it."""

from __future__ import annotations

from catalog.identities.apparent import ApparentBars
from catalog.identities.assign import Rules
from catalog.identities.edges import SearchRules
from catalog.identities.graph import Linkage
from catalog.identities.roster import FounderBars
from catalog.settings import IdentitySettings


def rules_of(set_to: IdentitySettings) -> Rules:
    """Every bar of the settings where clustering looks for it."""
    return Rules(
        means=Linkage(
            set_to.linkage_threshold,
            set_to.linkage_price,
            set_to.linkage_caution,
            strangers=set_to.linkage_strangers,
        ),
        searches=Linkage(set_to.search_linkage_threshold, set_to.search_linkage_price, set_to.search_linkage_caution),
        search=SearchRules(
            threshold=set_to.search_threshold,
            cover=set_to.search_cover,
            need=set_to.search_need,
            workers=set_to.search_workers,
        ),
        founders=FounderBars(
            confidence=set_to.founder_confidence,
            side=set_to.founder_side,
            sharpness=set_to.founder_sharpness,
            yaw=set_to.founder_yaw,
        ),
        apparent=ApparentBars(set_to.apparent_birth_years, set_to.apparent_gender),
    )
