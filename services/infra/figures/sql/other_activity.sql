-- When each of these people has the action on enough days of the window: the days of a deed belong to whoever owned the
-- address on that day; with the i-th day of deeds d(i), enough holds from d(i) to d(i - enough + 1) + window - 1.
boxes AS (
    SELECT address, argMax(owner, version) AS owner,
           toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last
    FROM mailboxes
    WHERE received <= %(known_at)s
      AND (%(everyone)s = 1 OR address IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people)))
    GROUP BY address, stint, source
    HAVING argMax(retracted, version) = 0 AND owner != ''
),
deeds AS (
    SELECT actor, kind, groupUniqArray(on_day) AS days
    FROM (
        SELECT actor, kind, toInt32(day) AS on_day
        FROM activity
        WHERE action = %(action)s AND received_day <= %(known_day)s
          AND toInt32(day) BETWEEN %(first)s - %(window)s + 1 AND %(last)s
          AND (%(everyone)s = 1
               OR kind = 'person' AND actor IN (SELECT person FROM people)
               OR kind = 'address' AND actor IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people)))
        GROUP BY actor, kind, activity.day, source
        HAVING argMax(retracted, version) = 0
    )
    GROUP BY actor, kind
),
active AS (
    SELECT if(d.kind = 'person', d.actor, b.owner) AS person,
           arraySort(groupUniqArrayArray(
               if(d.kind = 'person', d.days, arrayFilter(on_day -> on_day BETWEEN b.first AND b.last, d.days)))) AS days
    FROM deeds AS d LEFT JOIN boxes AS b ON b.address = d.actor
    WHERE d.kind = 'person' OR b.owner != ''
    GROUP BY person
),
-- Spans that overlap or touch become one; both ends of a person's spans are in ascending order.
other AS (
    SELECT person, first, last
    FROM (
        SELECT person,
               arraySlice(days, %(enough)s) AS reached,
               arrayMap(began -> began + %(window)s - 1, arrayResize(days, length(reached))) AS lapses,
               arrayFilter((from_day, to_day) -> from_day <= to_day, reached, lapses) AS froms,
               arrayFilter((to_day, from_day) -> from_day <= to_day, lapses, reached) AS tos
        FROM active
    )
    ARRAY JOIN
        arrayFilter((from_day, before) -> from_day > before + 1, froms,
                    arrayResize(arrayPushFront(tos, -1000000), length(froms))) AS first,
        arrayFilter((to_day, next) -> next > to_day + 1, tos,
                    arrayResize(arrayPushBack(arraySlice(froms, 2), 1000000), length(froms))) AS last
)
