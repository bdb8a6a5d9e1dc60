-- Nobody declares anything for this definition.
declared AS (
    SELECT '' AS judged, toInt32(0) AS at, toDecimal128(0, 4) AS done, toDecimal128(0, 4) AS total WHERE 0
)
