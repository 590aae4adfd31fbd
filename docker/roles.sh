#!/bin/sh
# Runs once, in an empty PostgreSQL: the role that owns the tables, the one that the application works in, and the one
# that takes backups.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner_password="$WALLET_OWNER_PASSWORD" --set app_password="$WALLET_APP_PASSWORD" \
    --set backup_password="$WALLET_BACKUP_PASSWORD" <<'SQL'
CREATE ROLE wallet_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE wallet_app LOGIN PASSWORD :'app_password';
CREATE ROLE wallet_backup LOGIN REPLICATION PASSWORD :'backup_password';
CREATE DATABASE wallet OWNER wallet_owner;
SQL

# What the image lets in from other containers is databases, and replication is none of them.
echo "host replication wallet_backup all scram-sha-256" >> "$PGDATA/pg_hba.conf"
