"""External ids of persons, and their column in ``v1_people``."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQLITE_VIEWS = [
    """CREATE VIEW v1_people AS
SELECT person.person_id, person.name, COALESCE(seen.faces, 0) AS faces, COALESCE(seen.photos, 0) AS photos,
    seen.first_seen, seen.last_seen, person.hidden, person.birth_date, person.created_at, person.external_ids
FROM persons AS person
LEFT JOIN (
    SELECT assigned.person_id, COUNT(*) AS faces, COUNT(DISTINCT assigned.photo_id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)""",
]
POSTGRESQL_VIEWS = [
    """CREATE VIEW v1_people AS
SELECT person.person_id, person.name, COALESCE(seen.faces, 0) AS faces, COALESCE(seen.photos, 0) AS photos,
    seen.first_seen, seen.last_seen, person.hidden, person.birth_date, person.created_at, person.external_ids
FROM persons AS person
LEFT JOIN (
    SELECT assigned.person_id, COUNT(*) AS faces, COUNT(DISTINCT assigned.photo_id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)""",
    """COMMENT ON VIEW v1_people IS 'one row per person with a name or a face'""",
    """COMMENT ON COLUMN v1_people.person_id IS 'permanent public id of the person'""",
    """COMMENT ON COLUMN v1_people.name IS 'name by a user; null: unnamed'""",
    """COMMENT ON COLUMN v1_people.faces IS 'faces of this person, 0 or more'""",
    """COMMENT ON COLUMN v1_people.photos IS 'photos that show this person, 0 or more; a photo counts once'""",
    """COMMENT ON COLUMN v1_people.first_seen IS 'earliest taken_at of a photo with this person, UTC; null: no photo with a date'""",
    """COMMENT ON COLUMN v1_people.last_seen IS 'latest taken_at of a photo with this person, UTC; null: no photo with a date'""",
    """COMMENT ON COLUMN v1_people.hidden IS 'true: excluded from lists and reports'""",
    """COMMENT ON COLUMN v1_people.birth_date IS 'YYYY-MM-DD; null: unknown'""",
    """COMMENT ON COLUMN v1_people.created_at IS 'when the person was added, UTC'""",
    """COMMENT ON COLUMN v1_people.external_ids IS 'JSON object of ids elsewhere by scheme (qid, viaf, gnd ...); null: none'""",
]


def upgrade() -> None:
    op.add_column(
        "persons",
        sa.Column(
            "external_ids",
            sa.Text(),
            nullable=True,
            comment="JSON object: scheme (qid, viaf, gnd ...) to id; null: none",
        ),
    )
    connection = op.get_bind()
    connection.exec_driver_sql("DROP VIEW v1_people")
    for statement in POSTGRESQL_VIEWS if connection.dialect.name == "postgresql" else SQLITE_VIEWS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
