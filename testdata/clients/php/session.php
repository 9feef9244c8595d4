<?php
// A session of PDO and of the pgsql extension. php session.php URI
$u = parse_url($argv[1]);
[$db, $password] = [ltrim($u['path'], '/'), $u['pass'] ?? ''];
$dsn = "pgsql:host={$u['host']};port={$u['port']};dbname=$db";
echo 'VERSION ', PHP_VERSION, "\n";
set_error_handler(fn($n, $m) => throw new ErrorException(preg_replace('/^.*?(ERROR|FATAL)/s', '$1', $m)));
function open() { global $dsn, $u, $password; return new PDO($dsn, $u['user'], $password, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC]); }
function line($v) { return str_replace("\n", '\\n', is_string($v) ? $v : var_export_line($v)); }
function var_export_line($v) { if (is_resource($v)) $v = bin2hex(stream_get_contents($v)); if (is_array($v)) { $o = []; foreach ($v as $k => $x) $o[] = "$k: " . var_export_line($x); return '[' . implode(', ', $o) . ']'; } return is_float($v) ? (string)$v : var_export($v, true); }
function check($name, $fn) { try { echo "PASS $name = ", line($fn()), "\n"; } catch (Throwable $e) { echo "FAIL $name: ", line($e->getMessage()), "\n"; } }
function failure($fn) { try { $fn(); } catch (PDOException $e) { return $e->errorInfo; } throw new Exception('no error'); }
$p = open();
$all = fn($sql, $args = []) => ($s = $p->prepare($sql)) && $s->execute($args) ? $s->fetchAll() : null;
foreach (explode(' ', 'b i2 i4 i8 f4 f8 n nu t vc c by d tm tmz ts tsz iv u j jb ia ta na m p ad mn bt vb o nm') as $k) {
	check("type $k", fn() => $all("SELECT $k FROM kinds WHERE id < 3 ORDER BY id"));
	check("extreme of $k", fn() => $all("SELECT $k::text FROM kinds WHERE id = 3"));
	check("column of $k", function () use ($p, $k) { $m = $p->query("SELECT $k FROM kinds")->getColumnMeta(0); unset($m['pgsql:oid'], $m['pgsql:table_oid']); return in_array($k, ['m', 'ad', 'p']) ? $m['name'] : $m; });
}
foreach ([['syntax', 'SELEC 1'], ['table', 'SELECT * FROM nowhere'], ['unique', "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"], ['null', 'INSERT INTO customer (id, name) VALUES (99, NULL)'], ['foreign key', 'INSERT INTO purchase (customer_id) VALUES (999)'], ['check', 'UPDATE customer SET balance = -1 WHERE id = 1'], ['division', 'SELECT 1/0'], ['domain', 'SELECT 0::positive']] as [$name, $sql]) {
	check("error $name", fn() => failure(fn() => $p->exec($sql)));
	check("error prepared $name", fn() => failure(fn() => $p->prepare($sql)->execute()));
}
foreach ([true, false] as $emulate) {
	$p->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulate);
	$e = $emulate ? ' emulated' : '';
	check("parameters$e", fn() => $all('SELECT :a::int AS a, :b::text AS b, :c::text AS c, :d::bool AS d', ['a' => 5, 'b' => "x'\\ü", 'c' => null, 'd' => 't']));
	check("typed parameters$e", function () use ($p) { $s = $p->prepare('SELECT ?::int AS a, ?::bytea AS b, ?::bool AS c'); $s->bindValue(1, 5, PDO::PARAM_INT); $s->bindValue(2, "\x00\xff'", PDO::PARAM_LOB); $s->bindValue(3, true, PDO::PARAM_BOOL); $s->execute(); return $s->fetchAll(); });
	check("prepared and reused$e", function () use ($p) { $s = $p->prepare('SELECT name FROM customer WHERE id = ?'); $o = []; foreach ([1, 2, 3] as $i) { $s->execute([$i]); $o[] = $s->fetchColumn(); } return $o; });
}
check('row counts', function () use ($p) { $p->exec('CREATE TABLE ph (a int, b text)'); return [$p->exec("INSERT INTO ph SELECT g, 'x' FROM generate_series(1, 7) g"), $p->exec("UPDATE ph SET b = 'y' WHERE a > 3"), $p->exec('DELETE FROM ph WHERE a = 100')]; });
check('last insert id', function () use ($p) { $p->exec("INSERT INTO customer (name) VALUES ('P')"); return [$p->lastInsertId(), $p->lastInsertId('customer_id_seq')]; });
check('transaction', function () use ($p, $all) { $p->beginTransaction(); $p->exec('DELETE FROM ph'); $in = $p->inTransaction(); $p->rollBack(); return [$in, $all('SELECT count(*) FROM ph')]; });
check('failed transaction', function () use ($p) { $p->beginTransaction(); try { $p->exec('SELECT 1/0'); } catch (PDOException $e) {} $f = failure(fn() => $p->exec('SELECT 1')); $p->rollBack(); return $f; });
check('copy in', fn() => [$p->pgsqlCopyFromArray('ph', ["100\tx", "101\t\\N"]), $all('SELECT * FROM ph WHERE a >= 100 ORDER BY a')]);
check('copy out', fn() => $p->pgsqlCopyToArray('customer', ',', 'nil', 'id,name,email'));
check('notify', function () use ($p) { $p->exec('LISTEN ch'); $p->exec("NOTIFY ch, 'p'"); $n = $p->pgsqlGetNotify(PDO::FETCH_ASSOC, 1000); return [$n['message'], $n['payload']]; });
check('scrollable cursor', function () use ($p) { $s = $p->prepare('SELECT generate_series(1, 10) g', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]); $s->execute(); return [$s->fetch(), $s->fetch(PDO::FETCH_ASSOC, PDO::FETCH_ORI_LAST), $s->fetch(PDO::FETCH_ASSOC, PDO::FETCH_ORI_PRIOR), $s->fetch(PDO::FETCH_ASSOC, PDO::FETCH_ORI_ABS, 3), $s->fetch(PDO::FETCH_ASSOC, PDO::FETCH_ORI_REL, 2)]; });
check('large objects', function () use ($p) { $p->beginTransaction(); $o = $p->pgsqlLOBCreate(); $f = $p->pgsqlLOBOpen($o, 'w'); fwrite($f, 'data'); fclose($f); $f = $p->pgsqlLOBOpen($o, 'r'); $d = fread($f, 10); $p->rollBack(); return $d; });
if ($p->inTransaction()) $p->rollBack();
check('attributes', fn() => [$p->getAttribute(PDO::ATTR_DRIVER_NAME), (int)$p->getAttribute(PDO::ATTR_SERVER_VERSION), $p->getAttribute(PDO::ATTR_CONNECTION_STATUS)]);
check('quote', fn() => $p->quote("a'b\\c"));
check('several statements', fn() => $p->exec('CREATE TABLE ph2 (a int); INSERT INTO ph2 VALUES (1), (2)'));

// The pgsql extension.
$c = pg_connect("host={$u['host']} port={$u['port']} dbname=$db user={$u['user']} password='$password'");
$rows = fn($r) => pg_fetch_all($r, PGSQL_ASSOC);
check('pg_query_params', fn() => $rows(pg_query_params($c, 'SELECT $1::int + 1 AS a, $2::text AS b', [5, 'x'])));
check('pg_prepare', fn() => [pg_prepare($c, 'p', 'SELECT $1::text AS t') && true, $rows(pg_execute($c, 'p', ['y']))]);
check('pg field information', function () use ($c) { $r = pg_query($c, 'SELECT id, name, balance FROM customer ORDER BY id'); $o = []; for ($i = 0; $i < 3; $i++) $o[] = [pg_field_name($r, $i), pg_field_type($r, $i), pg_field_size($r, $i), pg_field_table($r, $i)]; return $o; });
check('pg_insert and pg_select', fn() => [pg_insert($c, 'ph', ['a' => 500, 'b' => 'ins']), pg_select($c, 'ph', ['a' => 500]), pg_update($c, 'ph', ['b' => 'upd'], ['a' => 500]), pg_delete($c, 'ph', ['a' => 500])]);
check('pg_meta_data', fn() => pg_meta_data($c, 'customer'));
check('pg_meta_data extended', fn() => array_map(fn($x) => [$x['num'], $x['type'], $x['not null'], $x['has default'], $x['description'] ?? ''], pg_meta_data($c, 'customer', true)));
check('pg_copy', fn() => [pg_copy_from($c, 'ph', ["900\tz\n"]), count(pg_copy_to($c, 'ph')) > 5]);
check('pg error fields', function () use ($c) { pg_send_query($c, "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"); $r = pg_get_result($c); $o = array_map(fn($f) => pg_result_error_field($r, $f), [PGSQL_DIAG_SEVERITY, PGSQL_DIAG_SQLSTATE, PGSQL_DIAG_MESSAGE_PRIMARY, PGSQL_DIAG_MESSAGE_DETAIL, PGSQL_DIAG_CONSTRAINT_NAME, PGSQL_DIAG_TABLE_NAME]); while (pg_get_result($c)); return $o; });
check('pg_cancel_query', function () use ($c, $rows) { pg_send_query($c, 'SELECT pg_sleep(20)'); return [pg_cancel_query($c), $rows(pg_query($c, 'SELECT 1 AS one'))]; });
check('pg several results', function () use ($c) { pg_send_query($c, 'SELECT 1 AS a; SELECT 2 AS b'); $o = []; while ($r = pg_get_result($c)) $o[] = pg_fetch_all($r); return $o; });
check('pg_parameter_status', fn() => [pg_parameter_status($c, 'server_encoding'), pg_client_encoding($c), pg_version($c)['client'] !== '', pg_transaction_status($c), pg_escape_literal($c, "a'b"), pg_escape_identifier($c, 'x"y')]);
