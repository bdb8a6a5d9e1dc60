-- When each of these people has the action on enough days of the window: the days of a deed belong to whoever owned the
-- address on that day; with the i-th day of deeds d(i), enough holds from d(i) to d(i - enough + 1) + window - 1.
boxes AS (
    SELECT address, argMax(owner, version) AS owner,
           toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last
    FROM mailboxes
    WHERE received <= %(known_at)s
      AND address IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people))
    GROUP BY address, stint, source
    HAVING argMax(retracted, version) = 0 AND owner != ''
),
deeds AS (
    SELECT actor, kind, toInt32(day) AS on_day
    FROM activity
    WHERE action = %(action)s AND received_day <= %(known_day)s
      AND toInt32(day) BETWEEN %(first)s - %(window)s + 1 AND %(last)s
      AND (kind = 'person' AND actor IN (SELECT person FROM people)
           OR kind = 'address' AND actor IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people)))
    GROUP BY actor, kind, activity.day, action, source
    HAVING argMax(retracted, version) = 0
),
active AS (
    SELECT if(d.kind = 'person', d.actor, b.owner) AS person, arraySort(groupUniqArray(d.on_day)) AS days
    FROM deeds AS d LEFT JOIN boxes AS b ON b.address = d.actor
    WHERE d.kind = 'person' OR b.owner != '' AND d.on_day BETWEEN b.first AND b.last
    GROUP BY person
),
other AS (
    SELECT person, days[i] AS first, days[i - %(enough)s + 1] + %(window)s - 1 AS last
    FROM active
    ARRAY JOIN arrayEnumerate(days) AS i
    WHERE i >= %(enough)s AND days[i - %(enough)s + 1] + %(window)s - 1 >= days[i]
)
