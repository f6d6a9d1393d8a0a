"""How persons are made of faces, as the settings say it."""

from __future__ import annotations

from catalog.app.settings import IdentitySettings
from catalog.identities.assignment.gallery_clustering import GroupingRules, SearchRules
from catalog.identities.clustering.demographics import DemographicThresholds
from catalog.identities.clustering.face_table import SeedFaceThresholds
from catalog.identities.clustering.similarity_graph import Linkage


def rules_of(set_to: IdentitySettings) -> GroupingRules:
    """Every bar of the settings where clustering looks for it."""
    return GroupingRules(
        mean_linkage=Linkage(
            set_to.linkage_threshold,
            set_to.linkage_price,
            set_to.linkage_caution,
            stranger_similarity=set_to.linkage_strangers,
        ),
        search_linkage=Linkage(
            set_to.search_linkage_threshold, set_to.search_linkage_price, set_to.search_linkage_caution
        ),
        search=SearchRules(
            threshold=set_to.search_threshold,
            covered_similarity=set_to.search_cover,
            covering_faces=set_to.search_need,
            workers=set_to.search_workers,
        ),
        seed_faces=SeedFaceThresholds(
            confidence=set_to.founder_confidence,
            side=set_to.founder_side,
            sharpness=set_to.founder_sharpness,
            yaw=set_to.founder_yaw,
        ),
        demographics=DemographicThresholds(set_to.apparent_birth_years, set_to.apparent_gender),
    )
