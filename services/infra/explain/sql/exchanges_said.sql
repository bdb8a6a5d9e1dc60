-- Every statement about documents one party of which is a member agency, as sent, that had been received.
WITH {scope},
wanted AS (
    SELECT code FROM agency_codes FINAL
    WHERE directory = %(directory)s AND revision = %(revision)s AND agency IN (SELECT agency FROM scope)
)
SELECT issuer, year, number, counterpart, step, source, version, any(e.day) AS on_day, any(e.issued_on) AS issued,
       any(e.retracted) AS gone, min(e.received) AS came
FROM exchanges AS e
WHERE issuer IN (SELECT code FROM wanted) OR counterpart IN (SELECT code FROM wanted)
GROUP BY issuer, year, number, counterpart, step, source, version
HAVING came <= %(known_at)s
