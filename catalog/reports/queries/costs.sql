-- How much was charged, by month and operation?
-- parameters: since until
-- since and until apply to the time of the charge. The local engine is free and has no rows.
SELECT substr(charge.charged_at, 1, 7) AS month, charge.engine, charge.region, charge.command, charge.operation,
    SUM(charge.calls) AS calls, SUM(charge.microdollars) / 1000000.0 AS dollars
FROM charges AS charge
WHERE charge.charged_at >= :since_event AND charge.charged_at <= :until_event
GROUP BY substr(charge.charged_at, 1, 7), charge.engine, charge.region, charge.command, charge.operation
ORDER BY month DESC, dollars DESC, charge.command, charge.operation
LIMIT :limit
