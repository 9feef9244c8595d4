#!/bin/bash
# Compiles and runs the session of pgjdbc: run.sh URI
set -e
here=$(cd "$(dirname "$0")" && pwd) out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
javac -d "$out" -cp /usr/share/java/postgresql.jar "$here/Session.java"
java -XX:TieredStopAtLevel=1 -Duser.timezone=UTC -cp "$out:/usr/share/java/postgresql.jar" Session "$1"
