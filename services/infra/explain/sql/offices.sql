-- The member agencies whose facts count for the figure, and from when to when.
WITH {scope}
SELECT agency, addDays(toDate32('1970-01-01'), first), addDays(toDate32('1970-01-01'), last) FROM scope ORDER BY agency
