-- Who answers to these codes, and from when to when.
SELECT code, agency, leadership, from_day, to_day
FROM agency_codes FINAL
WHERE directory = %(directory)s AND revision = %(revision)s AND code IN %(codes)s
