#!/bin/sh
# Orders by the API as one client: a draft, an item, what the vendor asks, checkout, and what became of it.
# HOST, KEY, SECRET, ACCOUNT (a number) and PRODUCT (an id) come from the environment; QUANTITY is 1 if it is not given.
set -eu

ask() { # method, path, body; fails on any status above 299
  curl -sS --fail-with-body -X "$1" -H "Authorization: Bearer $TOKEN" -H "X-Api-Version: 3.0" \
    ${3:+-H "Content-Type: application/json" -d "$3"} "$HOST$2"
}
read_json() { python3 -c "import json, sys; found = json.load(sys.stdin); $1"; }

TOKEN=$(curl -sS --fail-with-body -u "$KEY:$SECRET" -d grant_type=client_credentials "$HOST/oauth/token" | read_json 'print(found["access_token"])')
ORDER=$(ask POST /api/orders "{\"accountId\": $ACCOUNT, \"name\": \"order.sh\"}" | read_json 'print(found["id"])')
ITEM=$(ask POST "/api/orders/$ORDER/items" "{\"productId\": \"$PRODUCT\", \"quantity\": ${QUANTITY:-1}}" | read_json 'print(found["id"])')
ask GET "/api/orders/$ORDER" | read_json 'print("draft:", found["total"], found["currency"], "until", found["expirationDate"])'

# Every question has an id. Here each is answered with its name's line of ANSWERS ("name=value" a line).
ANSWERED=$(ask GET "/api/orders/$ORDER/items/$ITEM/characteristics" | read_json '
import os
given = dict(line.split("=", 1) for line in os.environ.get("ANSWERS", "").splitlines() if "=" in line)
asked = [item for group in found["groups"] for item in group["characteristics"]]
print(json.dumps([{"id": item["id"], "value": given[item["name"]]} for item in asked if item["name"] in given]))')
ask PUT "/api/orders/$ORDER/items/$ITEM/characteristics" "$ANSWERED" >/dev/null

# A key makes the checkout happen once, however often it is sent. 400 price_changed is accepted by another key.
curl -sS --fail-with-body -X POST -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: checkout-$ORDER" "$HOST/api/orders/$ORDER/checkout"
for _try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  STATUS=$(ask GET "/api/orders/$ORDER/execute/status" | read_json 'print(found["status"], (found["error"] or {}).get("message", ""))')
  echo "order: $STATUS"
  case "$STATUS" in Submitted\ ?* | Executed* | Delivered* | Cancelled*) break ;; esac
  sleep 2
done
