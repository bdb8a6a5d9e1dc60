-- When each of these people owns a mailbox of the domain or a domain below it.
other AS (
    SELECT owner AS person, first, last
    FROM (
        SELECT argMax(owner, version) AS owner, argMax(domain, version) AS domain,
               toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last,
               argMax(retracted, version) AS gone
        FROM (SELECT address, stint, source, version, owner AS owner, domain AS domain, from_day AS from_day,
                     to_day AS to_day, retracted AS retracted
              FROM mailboxes
              WHERE received <= %(known_at)s
                AND address IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people)))
        GROUP BY address, stint, source
        HAVING gone = 0
    )
    WHERE owner != '' AND (domain = %(domain)s OR endsWith(domain, %(subdomains)s))
)
