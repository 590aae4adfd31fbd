#!/bin/sh
# Runs once, in an empty PostgreSQL: the role that owns the tables, and the one that the application works in.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner_password="$WALLET_OWNER_PASSWORD" --set app_password="$WALLET_APP_PASSWORD" <<'SQL'
CREATE ROLE wallet_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE wallet_app LOGIN PASSWORD :'app_password';
CREATE DATABASE wallet OWNER wallet_owner;
SQL
