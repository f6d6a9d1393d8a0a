"""Old names of settings. Each is accepted for one minor release, with a warning that gives the new name."""

from __future__ import annotations

NEW_KEY_BY_OLD = {
    "identities.linkage_price": "identities.linkage_pair_penalty",
    "identities.search_linkage_price": "identities.search_linkage_pair_penalty",
    "identities.linkage_caution": "identities.linkage_merge_margin",
    "identities.search_linkage_caution": "identities.search_linkage_merge_margin",
    "identities.linkage_strangers": "identities.linkage_stranger_similarity",
    "identities.search_cover": "identities.search_covered_similarity",
    "identities.search_need": "identities.search_covering_faces",
    "identities.founder_confidence": "identities.seed_face_confidence",
    "identities.founder_side": "identities.seed_face_side",
    "identities.founder_sharpness": "identities.seed_face_sharpness",
    "identities.founder_yaw": "identities.seed_face_yaw",
    "identities.apparent_birth_years": "identities.max_birth_year_gap",
    "identities.apparent_gender": "identities.gender_conflict_confidence",
    "rekognition.user_faces": "rekognition.user_vector_min_faces",
    "rekognition.user_faces_most": "rekognition.user_vector_max_faces",
    "rekognition.users_first": "rekognition.search_user_vectors_first",
    "rekognition.user_certain": "rekognition.user_vector_certain_similarity",
    "rekognition.headroom": "rekognition.quota_share",
}


class RenamedKeys:
    """The old and new names that one reading of the settings met. ``warnings`` holds a sentence for each old name."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._place_by_new_key: dict[str, str] = {}
        self._place_by_old_key: dict[str, str] = {}

    def current_name(self, key: str, place: str, shown: str) -> str:
        """The present name of a setting read at ``place``; ``shown`` is how the new name is written there."""
        if key not in NEW_KEY_BY_OLD:
            self._place_by_new_key.setdefault(key, place)
            return key
        self._place_by_old_key[key] = place
        self.warnings.append(f'The setting "{key}" in {place} has a new name: {shown}.')
        return NEW_KEY_BY_OLD[key]

    def conflicts(self) -> list[str]:
        """A sentence for each setting that was given under both names."""
        return [
            f'"{old}" in {place} is the old name of "{new}", which is set in {self._place_by_new_key[new]}. Keep one.'
            for old, place in self._place_by_old_key.items()
            if (new := NEW_KEY_BY_OLD[old]) in self._place_by_new_key
        ]
