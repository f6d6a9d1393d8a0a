"""The rules of clustering, from the settings."""

from __future__ import annotations

from catalog.app.settings import IdentitySettings
from catalog.identities.assignment.gallery_clustering import GroupingRules, SearchRules
from catalog.identities.clustering.demographics import DemographicThresholds
from catalog.identities.clustering.face_table import SeedFaceThresholds
from catalog.identities.clustering.similarity_graph import Linkage


def rules_of(settings: IdentitySettings) -> GroupingRules:
    """The thresholds of the settings, grouped as clustering takes them."""
    return GroupingRules(
        mean_linkage=Linkage(
            settings.linkage_threshold,
            settings.linkage_pair_penalty,
            settings.linkage_merge_margin,
            stranger_similarity=settings.linkage_stranger_similarity,
        ),
        search_linkage=Linkage(
            settings.search_linkage_threshold,
            settings.search_linkage_pair_penalty,
            settings.search_linkage_merge_margin,
        ),
        search=SearchRules(
            threshold=settings.search_threshold,
            covered_similarity=settings.search_covered_similarity,
            covering_faces=settings.search_covering_faces,
            workers=settings.search_workers,
        ),
        seed_faces=SeedFaceThresholds(
            confidence=settings.seed_face_confidence,
            side=settings.seed_face_side,
            sharpness=settings.seed_face_sharpness,
            yaw=settings.seed_face_yaw,
        ),
        demographics=DemographicThresholds(settings.max_birth_year_gap, settings.gender_conflict_confidence),
    )
