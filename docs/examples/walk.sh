#!/bin/sh
# Walks the reads of the API as one client: HOST, KEY and SECRET come from the environment, as `manage.py demo_info` prints them.
set -eu

ask() { # method, path, body; fails on any status above 299
  curl -sS --fail-with-body -X "$1" -H "Authorization: Bearer $TOKEN" -H "X-Api-Version: 3.0" \
    ${3:+-H "Content-Type: application/json" -d "$3"} "$HOST$2"
}
member() { python3 -c 'import json, sys
found = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    found = found[int(name)] if name.isdigit() else found[name]
print(found)' "$1"; }

TOKEN=$(curl -sS --fail-with-body -u "$KEY:$SECRET" -d grant_type=client_credentials "$HOST/oauth/token" | member access_token)
for list in subscriptions accounts orders assets products; do
  echo "$list: $(ask GET "/api/$list?pageSize=1" | member paging.totalRecords)"
done
ID=$(ask GET "/api/subscriptions?pageSize=1" | member data.0.id)
for part in "" /addons /characteristics /customfields; do
  ask GET "/api/subscriptions/$ID$part" >/dev/null && echo "subscription$part: read"
done
PRODUCT=$(ask GET "/api/products?pageSize=1" | member data.0.id)
echo "price: $(ask GET "/api/products/$PRODUCT/pricing" | member prices.0.units.0.sellPrice)"
echo "missing: $(curl -sS -H "Authorization: Bearer $TOKEN" "$HOST/api/subscriptions/00000000-0000-4000-8000-000000000000" | member type)"
