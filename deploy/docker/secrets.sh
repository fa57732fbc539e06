#!/bin/sh
# Makes the file `.env` beside docker-compose.yml, with a secret of 256 bits for each that it wants. What is in the file stays as it is,
# so that it can be run again when a later version wants another one. THROUGHLINE_PEOPLE_KEY must never change: keep a copy elsewhere.
set -eu
cd "$(dirname "$0")/../.."
umask 077
touch .env
for name in THROUGHLINE_PEOPLE_KEY THROUGHLINE_MIGRATE_PASSWORD THROUGHLINE_WRITE_PASSWORD THROUGHLINE_READ_PASSWORD \
  GRAFANA_ADMIN_PASSWORD GITHUB_WEBHOOK_SECRET SCRIPTS_TOKEN THROUGHLINE_DEMO_SECRET; do
  if ! grep -q "^$name=" .env; then
    printf '%s=%s\n' "$name" "$(od -A n -t x1 -N 32 /dev/urandom | tr -d ' \n')" >>.env
    echo "made $name"
  fi
done
