"""How persons are made of faces, as the settings say it."""

from __future__ import annotations

from catalog.app.settings import IdentitySettings
from catalog.identities.assignment.assign_people import GroupingRules
from catalog.identities.assignment.neighbor_searches import SearchRules
from catalog.identities.clustering.demographics import DemographicThresholds
from catalog.identities.clustering.face_table import SeedFaceThresholds
from catalog.identities.clustering.similarity_graph import Linkage


def rules_of(set_to: IdentitySettings) -> GroupingRules:
    """Every bar of the settings where clustering looks for it."""
    return GroupingRules(
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
        founders=SeedFaceThresholds(
            confidence=set_to.founder_confidence,
            side=set_to.founder_side,
            sharpness=set_to.founder_sharpness,
            yaw=set_to.founder_yaw,
        ),
        apparent=DemographicThresholds(set_to.apparent_birth_years, set_to.apparent_gender),
    )
