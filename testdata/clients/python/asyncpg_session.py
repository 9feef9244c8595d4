"""A session of asyncpg, which speaks binary only and reads the types' definitions from the catalog."""
import asyncio
import datetime
import decimal
import io
import json

import asyncpg

from check import EACH_KIND, URI, one_line, version

version(asyncpg.__version__)


async def check(name, awaitable):
    try:
        print("PASS", name, "=", one_line(await awaitable))
    except Exception as e:
        print("FAIL", name + ":", type(e).__name__, one_line(str(e)))


async def state(con, sql, *args):
    try:
        await con.execute(sql, *args)
    except asyncpg.PostgresError as e:
        return [type(e).__name__, e.sqlstate, e.message if hasattr(e, "message") else str(e), e.detail, e.hint, e.schema_name, e.table_name, e.column_name, e.data_type_name, e.constraint_name, e.position]
    return "no error"


async def session():
    con = await asyncpg.connect(URI)
    row = con.fetchrow
    for kind in EACH_KIND:
        await check("type " + kind, con.fetch(f"SELECT {kind} FROM kinds WHERE id < 3 ORDER BY id"))
        await check("extreme of " + kind, con.fetchval(f"SELECT {kind}::text FROM kinds WHERE id = 3"))
        await check("round trip of " + kind, (lambda: round_trip(con, kind))())
    for typ, value in [
        ("int2", 5), ("int8", 2**62), ("numeric", decimal.Decimal("1E-20")), ("float4", 1.5), ("text", "ü\\"), ("bytea", b"\x00"), ("date", datetime.date.max), ("timestamptz", datetime.datetime(1, 1, 2, tzinfo=datetime.timezone.utc)),
        ("interval", datetime.timedelta(days=-5, microseconds=3)), ("jsonb", '{"a": 1}'), ("int4[]", [[1, 2], [3, 4]]), ("text[]", []), ("mood", "sad"), ("mood[]", ["sad", None]), ("positive", 3), ("address", ("a", 1)), ("address[]", [("a", 1), None]),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), ("inet", "10.0.0.1"), ("bit(4)", asyncpg.BitString("1010")), ("\"char\"", b"x"), ("oid", 2**32 - 1), ("timetz", datetime.time(1, 2, tzinfo=datetime.timezone.utc)),
        ("box", asyncpg.Box((1, 2), (0, 0))), ("point", asyncpg.Point(1, 2)), ("path", asyncpg.Path((0, 0), (1, 1), is_closed=True)), ("circle", asyncpg.Circle((1, 2), 3)), ("int4range", asyncpg.Range(1, 5)),
    ]:
        await check("parameter " + typ, con.fetchval(f"SELECT $1::{typ}", value))
    st = await con.prepare("SELECT id, name, balance FROM customer WHERE id = $1 AND balance > $2")
    await check("prepared parameters", wrap([p.name for p in st.get_parameters()]))
    await check("prepared attributes", wrap([(a.name, a.type.name, a.type.kind, a.type.schema) for a in st.get_attributes()]))
    await check("prepared reuse", wrap([await st.fetch(i, 0) for i in (1, 2, 3)]))
    await check("status", wrap(st.get_statusmsg()))
    await check("explain", wrap(type(await st.explain(1, 0)).__name__))
    await check("executemany", con.executemany("INSERT INTO customer (name, email) VALUES ($1, $2)", [(f"n{i}", f"{i}@many") for i in range(100)]))
    await check("count", con.fetchval("SELECT count(*) FROM customer"))
    await check("executemany is atomic", (lambda: atomic(con))())
    await check("wrong type", wrap(await failing(con.fetchval("SELECT $1::int", "x"))))
    await check("wrong count", wrap(await failing(con.fetchval("SELECT $1::int", 1, 2))))
    for name, sql, *args in [
        ("unique", "INSERT INTO customer (name, email) VALUES ('x', $1)", "ada@example.com"), ("foreign key", "INSERT INTO purchase (customer_id) VALUES (999)"), ("not null", "INSERT INTO customer (name) VALUES (NULL)"),
        ("check", "UPDATE customer SET balance = $1 WHERE id = 1", decimal.Decimal(-1)), ("syntax", "SELEC"), ("division", "SELECT 1/0"), ("undefined", "SELECT * FROM nowhere"), ("undefined with parameter", "SELECT nope FROM customer WHERE id = $1", 1),
    ]:
        await check("error " + name, state(con, sql, *args))
    await check("transaction", transaction(con))
    await check("isolation", isolation(con))
    await check("cursor", cursor(con))
    await check("copy from table", copy_out(con))
    await check("copy records", con.copy_records_to_table("customer", records=[("r1", None), ("r2", "r2@x")], columns=["name", "email"]))
    await check("copy all types", copy_kinds(con))
    await check("copy csv", con.copy_to_table("customer", source=io.BytesIO(b"c1,c1@x\n"), columns=["name", "email"], format="csv"))
    await check("copy error", wrap(await failing(con.copy_to_table("customer", source=io.BytesIO(b"c1,ada@example.com\n"), columns=["name", "email"], format="csv"))))
    await check("notify", notify(con))
    await check("cancel", cancel(con))
    await check("timeout", wrap(await failing(con.fetchval("SELECT pg_sleep(10)", timeout=0.2))))
    await check("usable after timeout", con.fetchval("SELECT 1"))
    await check("json codec", codec(con))
    await check("introspection", con.fetch("SELECT typname FROM pg_type WHERE oid = ANY($1::oid[])", [23, 25]))
    await check("reset", con.reset())
    await check("pool", pool())
    await check("server version", wrap(con.get_server_version().major))
    await check("multiple statements", con.execute("CREATE TABLE m (a int); INSERT INTO m VALUES (1); SELECT * FROM m"))
    await check("cached plan after ALTER", altered(con))
    await check("log of notices", notices(con))
    await check("terminate", wrap(con.terminate()))


async def wrap(value):
    return value


async def failing(awaitable):
    try:
        return await awaitable
    except Exception as e:
        return type(e).__name__, getattr(e, "sqlstate", None), str(e)


async def round_trip(con, kind):
    return await con.fetchval(f"SELECT {kind} IS NOT DISTINCT FROM $1 FROM kinds WHERE id = 1" if kind != "j" else "SELECT j::text = $1::json::text FROM kinds WHERE id = 1", await con.fetchval(f"SELECT {kind} FROM kinds WHERE id = 1"))


async def atomic(con):
    e = await failing(con.executemany("INSERT INTO customer (name, email) VALUES ($1, $2)", [("z", "z@z"), ("z", "ada@example.com")]))
    return e, await con.fetchval("SELECT count(*) FROM customer WHERE name = 'z'")


async def transaction(con):
    async with con.transaction():
        await con.execute("CREATE TABLE tr (a int)")
        try:
            async with con.transaction():
                await con.execute("INSERT INTO tr VALUES (1)")
                raise KeyError
        except KeyError:
            pass
        await con.execute("INSERT INTO tr VALUES (2)")
    return await con.fetch("SELECT * FROM tr"), con.is_in_transaction()


async def isolation(con):
    out = []
    for level in ("read_committed", "repeatable_read", "serializable"):
        async with con.transaction(isolation=level, readonly=True):
            out.append(await con.fetchval("SHOW transaction_isolation"))
    return out


async def cursor(con):
    async with con.transaction():
        c = await con.cursor("SELECT generate_series(1, $1)", 100)
        out = [await c.fetch(3), await c.forward(10), await c.fetchrow()]
        n = 0
        async for _ in con.cursor("SELECT generate_series(1, 500)", prefetch=7):
            n += 1
        return out, n


async def copy_out(con):
    f = io.BytesIO()
    tag = await con.copy_from_query("SELECT id, name FROM customer WHERE id <= $1 ORDER BY id", 3, output=f, format="csv", header=True)
    return tag, f.getvalue()


async def copy_kinds(con):
    await con.execute("CREATE TABLE kinds3 (LIKE kinds)")
    rows = await con.fetch("SELECT id, b, i2, i4, i8, f4, f8, n, t, by, d, tm, ts, tsz, iv, u, jb, ia, ta, na, m, o FROM kinds WHERE id < 3")
    tag = await con.copy_records_to_table("kinds3", records=[tuple(r) for r in rows], columns=list(rows[0].keys()))
    return tag, await con.fetchval("SELECT count(*) FROM kinds3 a JOIN kinds c USING (id, i8, n, ts, tsz, iv, u, jb, ia, ta, na, m)")


async def notify(con):
    got = asyncio.get_running_loop().create_future()
    await con.add_listener("ch", lambda c, pid, channel, payload: got.set_result((channel, payload)))
    await con.execute("NOTIFY ch, 'hello'")
    return await asyncio.wait_for(got, 5)


async def cancel(con):
    t = asyncio.ensure_future(con.fetchval("SELECT pg_sleep(20)"))
    await asyncio.sleep(0.2)
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        return await con.fetchval("SELECT 5")


async def codec(con):
    await con.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    return await con.fetchval("SELECT $1::jsonb", {"a": [1, None]})


async def pool():
    async with asyncpg.create_pool(URI, min_size=1, max_size=3) as p:
        return await asyncio.gather(*[p.fetchval("SELECT $1::int", i) for i in range(10)])


async def altered(con):
    await con.execute("CREATE TABLE al (a int)")
    await con.fetch("SELECT * FROM al WHERE a > $1", 0)
    await con.execute("ALTER TABLE al ADD b text DEFAULT 'x'")
    await con.execute("INSERT INTO al VALUES (1)")
    return await con.fetch("SELECT * FROM al WHERE a > $1", 0)


async def notices(con):
    got = []
    con.add_log_listener(lambda c, m: got.append((m.severity, m.message)))
    await con.execute("DROP TABLE IF EXISTS nowhere")
    await asyncio.sleep(0)
    return got


asyncio.run(session())
