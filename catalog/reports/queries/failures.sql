-- Which photos could not be catalogued, and why?
-- also: problems failed
-- parameters: since until album
-- One row per location with the reason of its last failure. since and until apply to the time of the failure.
-- Left out: locations that a later complete scan of the same source read without failure.
SELECT problem.uri, problem.outcome, problem.reason, problem.at, problem.scan_id
FROM problems AS problem
JOIN (
    SELECT latest.uri, MAX(latest.id) AS id FROM problems AS latest GROUP BY latest.uri
) AS last ON last.id = problem.id
WHERE problem.at >= :since_event AND problem.at <= :until_event
    AND (:album = '' OR (problem.uri >= :album AND problem.uri < :album_end))
    AND NOT EXISTS (
        SELECT 1
        FROM scan_sources AS walked
        WHERE walked.scan_id > problem.scan_id AND walked.completed_at IS NOT NULL
            AND substr(problem.uri, 1, length(walked.source_uri)) = walked.source_uri
    )
ORDER BY problem.outcome, problem.at DESC, problem.uri
LIMIT :limit
