-- Why people on the roster do not count on one day, by reason: the count, and a number that the set of people decides.
WITH {scope},
{roster},
boxes AS (
    SELECT owner AS person,
           max(toUInt8(domain = %(domain)s OR endsWith(domain, %(subdomains)s))) AS of_domain,
           max(toUInt8((domain = %(domain)s OR endsWith(domain, %(subdomains)s)) AND first <= %(last)s AND last >= %(first)s))
               AS counts,
           max(toUInt8(first <= %(last)s AND last >= %(first)s)) AS open
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
    WHERE owner != ''
    GROUP BY owner
)
SELECT multiIf(b.counts = 1, 'counts', b.of_domain = 1, 'mailbox-not-open', b.open = 1, 'mailbox-elsewhere', 'no-mailbox') AS why,
       count() AS people, groupBitXor(sipHash64(%(definition)s, why, r.person)) AS cell
FROM (SELECT DISTINCT person FROM roster) AS r
LEFT JOIN boxes AS b ON b.person = r.person
GROUP BY why
