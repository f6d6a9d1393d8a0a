"""Exclusion rules: which files and folders of a source are left out, and by which rule.

Of several rules the last match wins, in this order: built-in names and markers, patterns of the settings and of the
command line, then the ignore files from the root of the source downwards. A folder that is left out is not entered, so
a pattern that takes it back must name the folder itself: ``!@eaDir/``.

A source that the user names is never left out itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from catalog.sources import builtin_exclusions as builtin
from catalog.sources.ignore_files import MAX_BYTES, GitPatterns, Matcher, PhotoPrismPatterns

CATALOG_IGNORE, PHOTOPRISM_IGNORE = b".catalogignore", b".ppignore"

RULE_FILES = frozenset({CATALOG_IGNORE, PHOTOPRISM_IGNORE, builtin.CACHE_TAG, *builtin.MARKERS})
"""Names of files that hold rules or mark their folder. They are not listed."""

_UUID = 36
"""Characters of a UUID."""

ReadFile = Callable[[bytes, int], bytes]
"""Reads at most so many bytes of a file of the folder by its name; empty if it cannot be read."""


class Exclusions:
    """The rules that hold for every source.

    ``patterns`` are in Git's syntax, relative to each source. Raises ValueError for one that cannot be used.
    """

    def __init__(self, patterns: Sequence[str] = (), *, use_defaults: bool = True) -> None:
        self.use_defaults = use_defaults
        self.patterns: tuple[Matcher, ...] = (GitPatterns(patterns, "pattern"),) if patterns else ()

    def enter_root(self, names: Collection[bytes], read: ReadFile, name: bytes = b"") -> FolderRules:
        """Rules for the entries ``names`` of a source's own folder ``name``. Markers there are ignored."""
        bundle = b"" if builtin.is_bundle(name, names) else None
        root = FolderRules(self, b"", b"", tuple((0, matcher) for matcher in self.patterns), bundle)
        return root.with_files(names, read)


class FolderRules:
    """Rules for the entries of one folder.

    ``path`` is relative to the source and ends in a slash, except for the root. ``bundle`` is the path inside a photo
    library of Apple, None outside. ``matchers`` come with the length of their own folder's path.
    """

    def __init__(
        self,
        exclusions: Exclusions,
        name: bytes,
        path: bytes,
        matchers: tuple[tuple[int, Matcher], ...],
        bundle: bytes | None,
        assets: Mapping[str, str] | None = None,
    ) -> None:
        self._exclusions = exclusions
        self._name = name
        self._path = path
        self._text = path.decode("utf-8", "surrogateescape")
        self._matchers = matchers
        self._bundle = bundle
        self._parts: frozenset[bytes] = frozenset()
        self._assets = assets or {}

    @property
    def is_photo_library(self) -> bool:
        """Whether this folder itself is a photo library of Apple whose data are left out."""
        return self._bundle == b"" and self._exclusions.use_defaults

    def leave_out_assets(self, rules: Mapping[str, str]) -> None:
        """Leave out photos of this library: rules by the UUID, in upper case, with which names of files begin."""
        self._assets = rules

    def rule_for_file(self, name: bytes) -> str | None:
        """The rule that leaves out a file of this folder, or None."""
        rule = None
        if self._exclusions.use_defaults:
            rule = builtin.file_rule(name)
            if self._bundle is not None and rule is None:
                rule = builtin.bundle_file_rule(self._bundle, name)
                if rule is None and self._assets:
                    rule = self._assets.get(name[:_UUID].decode("ascii", "replace").upper())
        return self._matched(name, "", rule) if self._matchers else rule

    def may_leave_out(self, names: Collection[bytes]) -> bool:
        """Return False if :meth:`rule_for_file` leaves out none of these files. A fast check: True may be wrong."""
        if self._matchers or (self._bundle is not None and self._exclusions.use_defaults):
            return True
        return self._exclusions.use_defaults and builtin.may_leave_out(names)

    def rule_for_folder(self, name: bytes) -> str | None:
        """The rule that leaves out a folder inside this folder, or None. Markers in it are not considered."""
        rule = None
        if self._exclusions.use_defaults:
            rule = builtin.folder_rule(name, self._name)
            if rule is None and self._bundle is not None:
                rule = builtin.bundle_rule(self._bundle + name)
            if rule is None and name.lower() in self._parts:
                rule = "previews and profiles (Immich)"
        return self._matched(name, "/", rule)

    def enter(self, name: bytes, names: Collection[bytes], read: ReadFile) -> FolderRules | str:
        """Rules for a folder with the entries ``names``, or the rule of a marker that leaves it out."""
        if self._exclusions.use_defaults and not self._is_taken_back(name):
            for marker in builtin.MARKERS:
                if marker in names:
                    return f"folder with {marker.decode()}"
            if builtin.CACHE_TAG in names and read(builtin.CACHE_TAG, 64).startswith(builtin.CACHE_SIGNATURE):
                return "folder with CACHEDIR.TAG"
        bundle = None if self._bundle is None else self._bundle + name + b"/"
        if bundle is None and builtin.is_bundle(name, names):
            bundle = b""
        assets = None if bundle == b"" else self._assets
        rules = FolderRules(self._exclusions, name, self._path + name + b"/", self._matchers, bundle, assets)
        return rules.with_files(names, read)

    def with_files(self, names: Collection[bytes], read: ReadFile) -> FolderRules:
        """Add the rules of ignore files among the entries ``names``."""
        length = len(self._text)
        if PHOTOPRISM_IGNORE in names:
            matcher = PhotoPrismPatterns.of_file(read(PHOTOPRISM_IGNORE, MAX_BYTES))
            self._matchers = (*self._matchers, (length, matcher))
        if CATALOG_IGNORE in names:
            git = GitPatterns.of_file(read(CATALOG_IGNORE, MAX_BYTES), ".catalogignore")
            self._matchers = (*self._matchers, (length, git))
        self._parts = builtin.immich_parts(names)
        return self

    def _matched(self, name: bytes, slash: str, rule: str | None) -> str | None:
        if not self._matchers:
            return rule
        path = f"{self._text}{name.decode('utf-8', 'surrogateescape')}{slash}"
        for length, matcher in self._matchers:
            match = matcher.match(path[length:])
            if match is not None:
                rule = match[1] if match[0] else None
        return rule

    def _is_taken_back(self, name: bytes) -> bool:
        """Return whether the last pattern of the user that matches the folder takes it back."""
        path = f"{self._text}{name.decode('utf-8', 'surrogateescape')}/"
        matches = [matcher.match(path[length:]) for length, matcher in self._matchers]
        last = next((match for match in reversed(matches) if match is not None), None)
        return last is not None and not last[0]
