-- Every statement about items of the member agencies that had been received.
WITH {scope}
SELECT agency, id, step, source, version, any(i.day) AS on_day, any(i.retracted) AS gone, any(i.weight) AS amount,
       min(i.received) AS came
FROM items AS i
WHERE type = %(facts)s AND agency IN (SELECT agency FROM scope)
  AND (type != 'budget.recorded' OR splitByChar('/', id)[2] IN %(stages)s)
GROUP BY agency, id, step, source, version
HAVING came <= %(known_at)s
