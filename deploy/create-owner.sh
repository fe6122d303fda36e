#!/bin/sh
# Run once, in an empty database: make the role that owns the tables. It may make the roles that
# work with them, and is no superuser.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$OWNER_PASSWORD" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE owner LOGIN NOSUPERUSER CREATEROLE PASSWORD :'password';
ALTER DATABASE :"DBNAME" OWNER TO owner;
ALTER SCHEMA public OWNER TO owner;
SQL
