-- Why people on the roster do not count on one day: they are not on the other roster.
WITH {scope},
{roster},
{other}
SELECT if(o.person != '', 'counts', 'not-on-roster') AS why,
       count() AS people, groupBitXor(sipHash64(%(definition)s, why, r.person)) AS cell
FROM (SELECT DISTINCT person FROM roster) AS r
LEFT JOIN (SELECT DISTINCT person FROM other WHERE first <= %(last)s AND last >= %(first)s) AS o ON o.person = r.person
GROUP BY why
