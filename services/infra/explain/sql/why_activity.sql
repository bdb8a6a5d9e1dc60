-- Why people on the roster do not count on one day, by reason: the count, and a number that the set of people decides.
WITH {scope},
{roster},
{other}
SELECT multiIf(o.person != '', 'counts', notEmpty(a.days), 'too-few-days', b.owner != '', 'no-deed', 'no-address') AS why,
       count() AS people, groupBitXor(sipHash64(%(definition)s, why, r.person)) AS cell
FROM (SELECT DISTINCT person FROM roster) AS r
LEFT JOIN (SELECT DISTINCT person FROM other WHERE first <= %(last)s AND last >= %(first)s) AS o ON o.person = r.person
LEFT JOIN active AS a ON a.person = r.person
LEFT JOIN (SELECT DISTINCT owner FROM boxes WHERE first <= %(last)s AND last >= %(first)s) AS b ON b.owner = r.person
GROUP BY why
