-- How many photos did each scan find, add and change?
-- also: scan-history history
-- parameters: since until
-- Newest first. since and until apply to the start of the scan.
SELECT scan.scan_id, scan.started_at, scan.finished_at, scan.state, scan.engine, scan.discovered, scan.new,
    scan.unchanged, scan.changed, scan.moved, scan.duplicate, scan.skipped, scan.failed, scan.faces, scan.rejected,
    scan.persons_new, scan.dollars
FROM v1_scans AS scan
WHERE scan.started_at >= :since_event AND scan.started_at <= :until_event
ORDER BY scan.scan_id DESC
LIMIT :limit
