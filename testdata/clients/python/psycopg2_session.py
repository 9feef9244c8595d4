"""A session of psycopg2: what an application and its tools do with it."""
import io
import json
import select
import threading
import time

import psycopg2
import psycopg2.errorcodes
import psycopg2.extensions as ext
import psycopg2.extras as extras

from check import EACH_KIND, URI, check, error, version

version(psycopg2.__version__.split()[0])
con = psycopg2.connect(URI)
con.autocommit = True
cur = con.cursor()


def q(sql, *args, cursor=None):
    c = cursor or cur
    c.execute(sql, args or None)
    return c.fetchall() if c.description else c.statusmessage


for kind in EACH_KIND:
    check("type " + kind)(lambda: q(f"SELECT {kind} FROM kinds ORDER BY id LIMIT 2"))
    check("extreme of " + kind)(lambda: q(f"SELECT {kind}::text FROM kinds WHERE id = 3"))
    check("describe " + kind)(lambda: (q(f"SELECT {kind} FROM kinds LIMIT 0"), [d[1:6] for d in cur.description] if kind not in ("m", "ad") else cur.description[0].name))

for name, value in [("int", 5), ("big", 2**62), ("float", 1.25), ("text", "ü'\\\"%"), ("none", None), ("bool", True), ("bytes", b"\x00\x01'\\"), ("list", [1, 2, None]), ("nested", [["a", "b"], ["c", None]])]:
    check("parameter " + name)(lambda: [bytes(v) if isinstance(v, memoryview) else v for v in q("SELECT %s", value)[0]])
check("parameter json")(lambda: q("SELECT %s::jsonb", extras.Json({"k": [1, None, "x"]})))


@check("uuid adapter")
def _():
    import uuid
    extras.register_uuid()
    return q("SELECT %s, u FROM kinds WHERE id = 1", uuid.UUID(int=5))


check("composite adapter")(lambda: (extras.register_composite("address", con) and None, q("SELECT ad FROM kinds WHERE id = 1")))
check("inet adapter")(lambda: (extras.register_inet() and None, [str(x) for x in q("SELECT '10.0.0.1/8'::inet")[0]]))
check("ipaddress adapter")(lambda: (extras.register_ipaddress() and None, [str(x) for x in q("SELECT '10.0.0.1/32'::inet, '10.0.0.0/8'::cidr")[0]]))
check("named parameters")(lambda: (cur.execute("SELECT %(a)s + %(b)s", {"a": 1, "b": 2}), cur.fetchall()))
check("status messages")(lambda: [q("CREATE TEMP TABLE sm (a int)"), q("INSERT INTO sm VALUES (1), (2)"), q("UPDATE sm SET a = 3"), q("DELETE FROM sm"), q("SET work_mem = '8MB'"), q("TRUNCATE sm"), q("DROP TABLE sm")])
check("rowcount")(lambda: (q("SELECT generate_series(1, 7)"), cur.rowcount))
check("multiple statements")(lambda: q("SELECT 1; SELECT 2 AS b"))
check("empty query")(lambda: str(error(lambda: q(""), psycopg2.ProgrammingError)))
check("execute_values")(lambda: (q("CREATE TABLE ev (a int, b text)"), extras.execute_values(cur, "INSERT INTO ev VALUES %s RETURNING a", [(i, str(i)) for i in range(250)], fetch=True)[-1], q("SELECT count(*), sum(a) FROM ev")))
check("execute_batch")(lambda: (extras.execute_batch(cur, "UPDATE ev SET b = %s WHERE a = %s", [("x", i) for i in range(50)], page_size=20), q("SELECT count(*) FROM ev WHERE b = 'x'")))
check("executemany")(lambda: (cur.executemany("DELETE FROM ev WHERE a = %s", [(i,) for i in range(5)]), q("SELECT count(*) FROM ev")))
check("dict cursor")(lambda: [dict(r) for r in q("SELECT id, name FROM customer ORDER BY id", cursor=con.cursor(cursor_factory=extras.RealDictCursor))])
check("callproc")(lambda: (cur.callproc("upper", ["abc"]), cur.fetchall()))
check("mogrify")(lambda: cur.mogrify("SELECT %s, %s", (1, "a'b")).decode())
check("server version")(lambda: con.server_version // 10000)
check("parameter status")(lambda: [con.get_parameter_status(p) for p in ("server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "integer_datetimes", "standard_conforming_strings", "is_superuser")])
check("encoding")(lambda: (con.set_client_encoding("LATIN1"), q("SELECT 'ü'::text"), con.set_client_encoding("UTF8"), con.encoding))


def sqlstate(sql, *args):
    e = error(lambda: q(sql, *args), psycopg2.Error)
    d = e.diag
    return [type(e).__name__, e.pgcode, d.severity, d.message_primary, d.message_detail, d.message_hint, d.schema_name, d.table_name, d.column_name, d.datatype_name, d.constraint_name, d.statement_position]


for name, sql in [
    ("syntax", "SELEC 1"), ("undefined table", "SELECT * FROM nowhere"), ("undefined column", "SELECT nme FROM customer"),
    ("unique", "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"), ("not null", "INSERT INTO customer (name) VALUES (NULL)"),
    ("check", "INSERT INTO customer (name, balance) VALUES ('x', -1)"), ("foreign key", "INSERT INTO purchase (customer_id) VALUES (999)"),
    ("domain", "SELECT 0::positive"), ("enum", "SELECT 'angry'::mood"), ("division", "SELECT 1/0"), ("cast", "SELECT 'x'::int"),
    ("too long", "INSERT INTO customer (name) VALUES (repeat('x', 60))"), ("undefined function", "SELECT nofunc(1)"), ("ambiguous", "SELECT id FROM customer, purchase"),
    ("duplicate table", "CREATE TABLE customer (a int)"), ("overflow", "SELECT 2147483647 + 1"), ("date", "SELECT '2024-02-30'::date"), ("json", "SELECT '{'::jsonb"),
]:
    check("error " + name)(lambda: sqlstate(sql))

check("transaction rollback")(lambda: (setattr(con, "autocommit", False), q("INSERT INTO ev VALUES (1000)"), con.get_transaction_status(), con.rollback(), q("SELECT count(*) FROM ev WHERE a = 1000"), con.commit()))
check("failed transaction")(lambda: (error(lambda: q("SELECT 1/0")), con.get_transaction_status() == ext.TRANSACTION_STATUS_INERROR, error(lambda: q("SELECT 1")).pgcode, con.rollback(), con.get_transaction_status()))
check("savepoint")(lambda: (q("INSERT INTO ev VALUES (2000)"), q("SAVEPOINT s"), error(lambda: q("SELECT 1/0")).pgcode, q("ROLLBACK TO s"), q("RELEASE s"), con.commit(), q("SELECT count(*) FROM ev WHERE a = 2000"), con.commit()))
check("isolation levels")(lambda: [(con.set_session(isolation_level=l), q("SHOW transaction_isolation"), con.commit()) for l in ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")])
check("read only")(lambda: (con.set_session(isolation_level="DEFAULT", readonly=True), error(lambda: q("DELETE FROM ev")).pgcode, con.rollback(), con.set_session(readonly=False)))
check("named cursor")(lambda: (lambda c: (c.execute("SELECT generate_series(1, 1000)"), c.fetchmany(3), c.fetchone(), c.scroll(10), c.fetchone(), len(c.fetchall()), c.description[0].name, c.close()))(con.cursor("nc")))
check("scrollable cursor")(lambda: (lambda c: (c.execute("SELECT generate_series(1, 10)"), c.fetchall()[-1], c.scroll(-3), c.fetchone(), c.scroll(0, mode="absolute"), c.fetchone(), c.close()))(con.cursor("sc", scrollable=True)))
check("cursor with hold")(lambda: (lambda c: (c.execute("SELECT generate_series(1, 5)"), con.commit(), c.fetchall(), c.close()))(con.cursor("wh", withhold=True)))
check("iterate named cursor")(lambda: (lambda c: (setattr(c, "itersize", 7), c.execute("SELECT generate_series(1, 50)"), sum(r[0] for r in c), c.close()))(con.cursor("it")))
con.rollback()
con.autocommit = True
check("two-phase commit")(lambda: (lambda x: (setattr(con, "autocommit", False), con.tpc_begin(x), q("SELECT 1"), con.tpc_prepare(), con.tpc_rollback()))(con.xid(1, "gtrid", "bqual")))
try:
    con.tpc_rollback()
except psycopg2.Error:
    pass
con = psycopg2.connect(URI)
con.autocommit = True
cur = con.cursor()

check("copy_from")(lambda: (cur.copy_from(io.StringIO("5000\tab\\tc\n5001\t\\N\n"), "ev"), q("SELECT * FROM ev WHERE a >= 5000 ORDER BY a")))
check("copy_to")(lambda: (lambda f: (cur.copy_to(f, "customer", columns=("id", "name", "email")), f.getvalue()))(io.StringIO()))
check("copy csv")(lambda: (lambda f: (cur.copy_expert("COPY (SELECT id, t, by FROM kinds ORDER BY id) TO STDOUT (FORMAT csv, HEADER)", f), f.getvalue()))(io.StringIO()))
check("copy binary round trip")(lambda: (lambda f: (cur.copy_expert("COPY kinds TO STDOUT (FORMAT binary)", f), q("CREATE TABLE kinds2 (LIKE kinds)"), f.seek(0), cur.copy_expert("COPY kinds2 FROM STDIN (FORMAT binary)", f), q("SELECT count(*) FROM kinds2 x JOIN kinds y ON x::text = y::text")))(io.BytesIO()))
check("copy binary bytes")(lambda: (lambda f: (cur.copy_expert("COPY (SELECT * FROM kinds WHERE id <> 1) TO STDOUT (FORMAT binary)", f), f.getvalue().hex()))(io.BytesIO()))
check("copy error")(lambda: (lambda e: (e.pgcode, e.diag.message_primary, e.diag.context))(error(lambda: cur.copy_from(io.StringIO("1\tx\ny\tz\n"), "ev"))))
check("copy error leaves nothing")(lambda: q("SELECT count(*) FROM ev WHERE b = 'z'"))


@check("notify")
def _():
    q("LISTEN jobs")
    other = psycopg2.connect(URI)
    other.autocommit = True
    other.cursor().execute("NOTIFY jobs, 'one'; SELECT pg_notify('jobs', 'two')")
    if not select.select([con], [], [], 5)[0]:
        raise TimeoutError
    con.poll()
    return [(n.channel, n.payload, n.pid == other.get_backend_pid()) for n in con.notifies]


@check("cancel")
def _():
    threading.Timer(0.2, con.cancel).start()
    start = time.time()
    return error(lambda: q("SELECT pg_sleep(20)")).pgcode, time.time() - start < 5, q("SELECT 1")


check("notices")(lambda: (con.notices.clear(), q("DROP TABLE IF EXISTS nowhere"), con.notices))
check("statement timeout")(lambda: (q("SET statement_timeout = 50"), error(lambda: q("SELECT pg_sleep(5)")).pgcode, q("RESET statement_timeout")))
check("reset")(lambda: (q("SET search_path = pg_catalog"), con.reset(), q("SHOW search_path")))


@check("asynchronous connection")
def _():
    a = psycopg2.connect(URI, async_=True)
    extras.wait_select(a)
    c = a.cursor()
    c.execute("SELECT 42")
    extras.wait_select(a)
    return c.fetchall()


check("dsn options")(lambda: (lambda c: (c.execute("SHOW application_name"), c.fetchall(), c.execute("SHOW work_mem"), c.fetchall()))(psycopg2.connect(URI, application_name="checks", options="-c work_mem=3MB").cursor()))
check("bad database")(lambda: str(error(lambda: psycopg2.connect(URI, dbname="nodb"))).strip().split("FATAL:")[-1])
check("bad option")(lambda: str(error(lambda: psycopg2.connect(URI, options="-c nooption=1"))).strip().split("FATAL:")[-1])
check("large value")(lambda: q("SELECT length(%s), md5(%s)", "x" * 3000000, "x" * 3000000))
check("many parameters")(lambda: q("SELECT " + ",".join(["%s"] * 1600), *range(1600))[0][-1])
check("json functions")(lambda: q("SELECT jsonb_agg(row_to_json(c) ORDER BY id) FROM (SELECT id, name FROM customer) c"))
check("upsert")(lambda: q("INSERT INTO customer (name, email) VALUES ('Ada2', 'ada@example.com') ON CONFLICT (email) DO UPDATE SET name = excluded.name RETURNING id, name, (xmax <> 0)"))
check("plpgsql block")(lambda: q("DO $$ BEGIN RAISE NOTICE 'hello'; END $$"))
