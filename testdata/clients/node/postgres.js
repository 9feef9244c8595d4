// A session of postgres.js, which pipelines everything.
'use strict';
const postgres = require('postgres');
const {Readable} = require('stream');
const {pipeline} = require('stream/promises');
const {check, failure, faults, kinds, version} = require('./check');

module.exports = async uri => {
  version('postgres');
  const notices = [];
  const sql = postgres(uri, {max: 3, onnotice: n => notices.push([n.severity, n.code, n.message])});
  for (const k of kinds) {
    await check(`type ${k}`, () => sql.unsafe(`SELECT ${k} FROM kinds WHERE id < 3 ORDER BY id`));
    await check(`prepared type ${k}`, async () => { const r = await sql`SELECT ${sql(k)} FROM kinds WHERE id < ${3} ORDER BY id`; return [r, r.count, r.command, r.columns.map(c => c.name)]; });
    await check(`extreme of ${k}`, () => sql.unsafe(`SELECT ${k}::text FROM kinds WHERE id = 3`));
  }
  await check('parameters', () => sql`SELECT ${5}::int a, ${"ü'"}::text b, ${null}::text c, ${new Date(Date.UTC(2024, 0, 2))}::timestamptz d, ${Buffer.from([0, 1])}::bytea e, ${sql.json({a: 1})}::jsonb f, ${sql.array([1, 2])}::int[] g, ${true}::bool h, ${2n ** 60n}::int8 i`);
  await check('insert helper', () => sql`INSERT INTO customer ${sql([{name: 'H1', email: 'h1@x'}, {name: 'H2', email: null}])} RETURNING id, name`);
  await check('update helper', () => sql`UPDATE customer SET ${sql({name: 'H3', balance: 7})} WHERE email = 'h1@x' RETURNING name, balance`);
  await check('in helper', () => sql`SELECT id FROM customer WHERE id IN ${sql([1, 2])} ORDER BY id`);
  for (const [name, text] of faults) {
    await check(`error ${name}`, () => failure(sql.unsafe(text)));
    await check(`error prepared ${name}`, () => failure(sql.unsafe(text, [], {prepare: true})));
  }
  await check('pipelined', () => Promise.all([...Array(100).keys()].map(i => sql`SELECT ${i}::int AS i`.then(r => r[0].i))));
  await check('transaction', () => sql.begin(async tx => { await tx`CREATE TABLE pj (a int)`; const [a] = await Promise.all([tx`INSERT INTO pj VALUES (1) RETURNING a`, tx`INSERT INTO pj VALUES (2)`]); await tx.savepoint(async sp => { await sp`INSERT INTO pj VALUES (3)`; throw new Error('back'); }).catch(() => {}); return [a, await tx`SELECT count(*) FROM pj`]; }));
  await check('rolled back', () => failure(sql.begin('isolation level serializable read write', async tx => { await tx`DELETE FROM pj`; await tx`SELECT 1/0`; })));
  await check('cursor', async () => { const sizes = []; for await (const rows of sql`SELECT generate_series(1, 25)`.cursor(10)) sizes.push(rows.length); return sizes; });
  await check('cursor closed early', async () => { let n = 0; await sql`SELECT generate_series(1, 100000)`.cursor(10, () => (++n === 3 ? sql.CLOSE : undefined)); return n; });
  await check('forEach', async () => { let n = 0; await sql`SELECT generate_series(1, 25) g`.forEach(r => { n += r.g; }); return n; });
  await check('describe', async () => { const d = await sql`SELECT id, name FROM customer WHERE id = ${1} AND name = ${'x'}`.describe(); return [d.types, d.columns.map(c => [c.name, c.type])]; });
  await check('raw and values', async () => [await sql`SELECT 1 AS a, 'x' AS b`.values(), await sql`SELECT 1 AS a`.raw()]);
  await check('simple', () => sql`SELECT 1 AS a; SELECT 2 AS b`.simple());
  await check('copy', async () => { await pipeline(Readable.from(['10\n', '11\n']), await sql`COPY pj FROM STDIN`.writable()); let text = ''; for await (const b of await sql`COPY (SELECT a FROM pj ORDER BY a) TO STDOUT`.readable()) text += b; return text; });
  await check('listen', () => new Promise((yes, no) => sql.listen('ch', p => yes(p), () => sql.notify('ch', 'hello').catch(no)).catch(no)));
  await check('cancel', async () => { const q = sql`SELECT pg_sleep(10)`; setTimeout(() => q.cancel(), 300); return failure(q); });
  await check('notices', async () => { notices.length = 0; await sql`DROP TABLE IF EXISTS nowhere`; return notices; });
  await check('after ALTER TABLE', async () => { const q = () => sql`SELECT * FROM pj ORDER BY a LIMIT 1`; await q(); await sql`ALTER TABLE pj ADD b int DEFAULT 5`; return q(); });
  await check('array types', () => sql`SELECT ARRAY['a', NULL]::text[] a, ARRAY[1.5]::numeric[] b, ARRAY['sad']::mood[] c, ARRAY[[1,2],[3,4]] d`);
  await check('reserve', async () => { const r = await sql.reserve(); const out = await r`SELECT 5 AS five`; r.release(); return out; });
  await check('connection parameters', async () => { const s = postgres(uri, {max: 1, connection: {application_name: 'pjs', search_path: 'pg_catalog', statement_timeout: 1234}}); const out = await s`SELECT current_setting('application_name') a, current_setting('search_path') b, current_setting('statement_timeout') c`; await s.end(); return out; });
  await sql.end();
};
