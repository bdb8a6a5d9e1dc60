-- When each of these people has the action on enough days of the window: the days of a deed belong to whoever owned the
-- address on that day; with the i-th day of deeds d(i), enough holds from d(i) to d(i - enough + 1) + window - 1.
boxes AS (
    SELECT address, owner, first, last
    FROM (
        SELECT address, argMax(owner, version) AS owner,
               toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last,
               argMax(retracted, version) AS gone
        FROM (SELECT address, stint, source, version, owner AS owner, from_day AS from_day,
                     to_day AS to_day, retracted AS retracted
              FROM mailboxes
              WHERE received <= %(known_at)s
                AND address IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM roster)))
        GROUP BY address, stint, source
        HAVING gone = 0
    )
    WHERE owner != ''
),
deeds AS (
    SELECT actor, kind, toInt32(day) AS on_day
    FROM activity
    WHERE action = %(action)s AND received_day <= %(known_day)s
      AND toInt32(day) BETWEEN %(first)s - %(window)s + 1 AND %(last)s
      AND (kind = 'person' AND actor IN (SELECT person FROM roster)
           OR kind = 'address' AND actor IN (SELECT address FROM boxes))
    GROUP BY actor, kind, activity.day, action, source
    HAVING argMax(retracted, version) = 0
),
active AS (
    SELECT person, arraySort(groupUniqArray(on_day)) AS days
    FROM (
        SELECT actor AS person, on_day FROM deeds WHERE kind = 'person'
        UNION ALL
        SELECT b.owner AS person, d.on_day AS on_day
        FROM deeds AS d INNER JOIN boxes AS b ON b.address = d.actor
        WHERE d.kind = 'address' AND d.on_day BETWEEN b.first AND b.last
    )
    GROUP BY person
),
other AS (
    SELECT person, days[i] AS first, days[i - %(enough)s + 1] + %(window)s - 1 AS last
    FROM active
    ARRAY JOIN arrayEnumerate(days) AS i
    WHERE i >= %(enough)s AND days[i - %(enough)s + 1] + %(window)s - 1 >= days[i]
)
