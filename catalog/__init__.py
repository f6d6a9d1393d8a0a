"""The map of the house.

One photo's way through::

    source.list()             -> PhotoRef                                   sources/
    plan                      -> which places are new, changed, unchanged   scanning/
    source.open(ref)          -> bytes; known content? record the place and stop
    opener.open(bytes)        -> OpenedPhoto: upright, sized, dated          images/
    engine.enroll(photo, sha) -> Enrollment(faces, rejected)                engines/
    store.record(...)         -> rows and state in one transaction          store/
    engine.neighbors(face)    -> edges -> clusters -> persons                identities/
    reports, find-person, sidecars and pages read the rows                   reports/, exchange/

Layers; a room imports only from rooms below it::

    cli
    settings | endpoint
    scanning | identities | reports | exchange
    engines  | store
    images   | sources
    vocabulary | errors

``cli/wiring.py`` is the only place that puts things together.
"""
