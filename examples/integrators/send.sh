#!/bin/sh
# Two statements about one document, with curl.
set -eu
: "${TIENDO_GATEWAY:?the address of the gateway}" "${TIENDO_TOKEN:?the token of the source}"
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# --retry repeats after 429, 503 and time-outs, and waits as long as Retry-After says.
code=$(curl -sS -o "$answer" -w '%{http_code}' --retry 8 --retry-connrefused \
    -H "Authorization: Bearer $TIENDO_TOKEN" -H 'Content-Type: application/cloudevents-batch+json' \
    --data-binary @- "$TIENDO_GATEWAY/v1/events" <<'EVENTS'
[{"specversion": "1.0", "id": "handling/1205/entered/1", "source": "/office/so-y-te", "agency": "so-y-te",
  "type": "vn.tiendo.document.handled.v1", "time": "2008-09-29T16:40:00+07:00",
  "data": {"agency": "so-y-te", "id": "1205", "step": "entered", "day": "2008-09-29"}},
 {"specversion": "1.0", "id": "handling/1205/adopted/1", "source": "/office/so-y-te", "agency": "so-y-te",
  "type": "vn.tiendo.document.handled.v1", "time": "2008-09-30T09:10:00+07:00",
  "data": {"agency": "so-y-te", "id": "1205", "step": "adopted", "day": "2008-09-30"}}]
EVENTS
)
cat "$answer"
echo
[ "$code" = 202 ]
