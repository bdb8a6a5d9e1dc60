-- When each of these people is on the other roster, whichever agency states it.
other AS (
    SELECT person, toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last
    FROM memberships
    WHERE roster = %(also_on)s AND person IN (SELECT person FROM people) AND received <= %(known_at)s
    GROUP BY person, roster, agency, stint, source
    HAVING argMax(retracted, version) = 0
)
