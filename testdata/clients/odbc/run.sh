#!/bin/bash
# A session of psqlODBC through unixODBC's isql: queries, SQLTables ("help") and SQLColumns ("help TABLE"). run.sh URI
set -u
read -r user password host port database < <(sed -E 's#^postgres(ql)?://([^:@]+)(:([^@]*))?@([^:/]+):([0-9]+)/(.*)#\2 \4. \5 \6 \7#' <<<"$1")
echo "VERSION $(isql --version | awk '{print $2}')"
for unicode in w a; do
	dsn="DRIVER=/usr/lib/x86_64-linux-gnu/odbc/psqlodbc$unicode.so;SERVER=$host;PORT=$port;DATABASE=$database;UID=$user;PWD=${password%.};UseDeclareFetch=$([ $unicode = w ] && echo 1 || echo 0);UseServerSidePrepare=1"
	while IFS= read -r line; do
		out=$(timeout 20 isql -k "$dsn" -b -v -d'|' -c <<<"$line" 2>&1 | sed 's/[[:space:]]*$//' | paste -sd'~' | sed -E 's/\|[0-9]{5,7}\|/|oid|/g')
		case $out in
		*'Could not SQLConnect'*) echo "FAIL $unicode $line: $out" ;;
		*) echo "PASS $unicode $line = $out" ;;
		esac
	done <<-'LINES'
		SELECT id, b, i2, i4, i8, f4, f8, n, nu FROM kinds WHERE id < 3 ORDER BY id
		SELECT id, t, vc, c, by, u FROM kinds WHERE id < 3 ORDER BY id
		SELECT id, d, tm, ts, tsz, iv FROM kinds WHERE id < 3 ORDER BY id
		SELECT id, j, jb, ia, ta, na, m, p, ad, mn, bt, vb, o, nm FROM kinds WHERE id < 3 ORDER BY id
		SELECT count(*) FROM generate_series(1, 5000)
		INSERT INTO customer (name, email) VALUES ('O', 'odbc')
		UPDATE customer SET balance = 5 WHERE name = 'O'
		DELETE FROM customer WHERE name = 'O'
		INSERT INTO customer (name, email) VALUES ('O', 'ada@example.com')
		SELECT * FROM nowhere
		SELEC
		SELECT 1/0
		CREATE TABLE IF NOT EXISTS od (a int)
		{call upper('x')}
		SELECT {fn UCASE('x')}, {d '2024-01-02'}
		help customer
		help purchase
		help kinds
		help rich
	LINES
done
