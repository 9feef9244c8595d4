#!/bin/bash
# Installs the clients that run.sh drives: Debian packages, npm packages and Go modules.
# Needs Debian 12 (or a relative) with root for the packages, and Node.js for those of npm; each part can be left out.
#
#   testdata/clients/install.sh [debian] [npm] [go]
set -eu
cd "$(dirname "$0")"
parts=${*:-debian npm go}

# What the Go clients need is in go/go.mod, what those of Node.js need in node/package.json: versions are pinned there.
for part in $parts; do
	case $part in
	debian)
		[ "$(id -u)" = 0 ] || { echo "the Debian packages need root" >&2; exit 1; }
		apt-get update -q
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
			postgresql-client pgbouncer pgcli \
			gcc libc6-dev libpq-dev \
			python3-psycopg2 python3-psycopg python3-asyncpg python3-sqlalchemy python3-alembic python3-django \
			libdbd-pg-perl php-cli php-pgsql ruby ruby-pg ruby-activerecord \
			unixodbc odbc-postgresql openjdk-17-jdk-headless libpostgresql-jdbc-java ;;
	npm) (cd node && npm ci --no-audit --no-fund --ignore-scripts) ;;
	go) (cd go && go build -o /dev/null ./...) ;;
	*) sed -n 2,6p "$0" >&2; exit 2 ;;
	esac
done
