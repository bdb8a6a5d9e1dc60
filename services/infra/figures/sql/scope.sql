-- Whose figure each member agency counts for, of the agencies asked for; days are numbers, so that no sum leaves the type.
scope AS (
    SELECT agency, judged, toInt32(from_day) AS first, toInt32(to_day) AS last
    FROM scopes FINAL
    WHERE definition = %(definition)s AND directory = %(directory)s AND revision = %(revision)s
      AND (%(everyone)s = 1 OR judged IN %(judged)s)
)
