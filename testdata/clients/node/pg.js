// A session of node-postgres.
'use strict';
const pg = require('pg');
const Cursor = require('pg-cursor');
const QueryStream = require('pg-query-stream');
const copy = require('pg-copy-streams');
const {Readable, Writable} = require('stream');
const {pipeline} = require('stream/promises');
const {check, failure, faults, kinds, sleep, version} = require('./check');

module.exports = async uri => {
  version('pg');
  const c = new pg.Client({connectionString: uri});
  await c.connect();
  const all = async (...a) => (r => [r.rows, r.rowCount, r.command, r.fields.map(f => [f.name, f.dataTypeSize, f.dataTypeModifier, f.columnID, f.format])])(await c.query(...a));
  for (const k of kinds) {
    await check(`type ${k}`, () => all(`SELECT ${k} FROM kinds WHERE id < 3 ORDER BY id`));
    await check(`extreme of ${k}`, () => all(`SELECT ${k}::text FROM kinds WHERE id = 3`));
    await check(`binary ${k}`, async () => (await c.query({text: `SELECT ${k} FROM kinds WHERE id < 3 ORDER BY id`, rowMode: 'array', types: {getTypeParser: () => v => v && v.toString('hex')}, binary: true})).rows);
    await check(`as a parameter ${k}`, () => all(`SELECT count(*) FROM kinds WHERE ${k}::text = $1`, ['1']));
  }
  for (const [name, v, t] of [['int', 5, 'int'], ['text', "ü'\\", 'text'], ['null', null, 'text'], ['date', new Date(Date.UTC(2024, 0, 2)), 'timestamptz'], ['buffer', Buffer.from([0, 255]), 'bytea'], ['json', {a: [1]}, 'jsonb'], ['array', [1, [2]], 'text'], ['strings', ['a', 'b"c', null], 'text[]'], ['bigint', 2n ** 60n, 'int8'], ['bool', true, 'bool']])
    await check(`parameter ${name}`, () => all(`SELECT $1::${t} AS v`, [v]));
  for (const [name, sql] of faults) {
    await check(`error ${name}`, () => failure(c.query(sql)));
    await check(`error of an extended query ${name}`, () => failure(c.query({text: sql, queryMode: 'extended'})));
  }
  await check('prepared and reused', async () => { const out = []; for (const i of [1, 2, 3]) out.push(await all({name: 'ps', text: 'SELECT name FROM customer WHERE id = $1', values: [i]})); return out; });
  await check('wrong number of parameters', () => failure(c.query('SELECT $1::int + $2::int', [1])));
  await check('several statements', async () => (await c.query('SELECT 1 AS a; SELECT 2 AS b; CREATE TABLE nod (a int, b text)')).map(r => [r.command, r.rows]));
  await check('queue of queries', () => Promise.all([...Array(50).keys()].map(i => c.query('SELECT $1::int AS i', [i]).then(r => r.rows[0].i))));
  await check('command tags', async () => { const out = []; for (const s of ["INSERT INTO nod VALUES (1, 'x'), (2, 'y')", 'UPDATE nod SET a = a + 1', 'DELETE FROM nod WHERE a = 3', 'BEGIN', 'SAVEPOINT s', 'ROLLBACK TO s', 'COMMIT', 'TRUNCATE nod', 'SET work_mem = 4096']) { const r = await c.query(s); out.push([r.command, r.rowCount]); } return out; });
  await check('transaction', async () => { await c.query('BEGIN ISOLATION LEVEL SERIALIZABLE'); await c.query('INSERT INTO nod VALUES (1)'); const e = await failure(c.query('SELECT 1/0')); const f = await failure(c.query('SELECT 1')); await c.query('ROLLBACK'); return [e[0], f[0], await all('SELECT count(*) FROM nod')]; });
  await check('cursor', async () => { const k = c.query(new Cursor('SELECT generate_series(1, $1::int) g', [25])); const out = [await k.read(10), (await k.read(10)).length, (await k.read(10)).length, (await k.read(10)).length]; await k.close(); return out; });
  await check('cursor closed early', async () => { const k = c.query(new Cursor('SELECT generate_series(1, 1000000)')); await k.read(5); await k.close(); return all('SELECT 1 AS one'); });
  await check('query stream', async () => { let n = 0; for await (const r of c.query(new QueryStream('SELECT generate_series(1, 1000) g', [], {batchSize: 33}))) n += r.g; return n; });
  await check('query stream with an error', async () => { const seen = []; try { for await (const r of c.query(new QueryStream('SELECT 10/(4-g) v FROM generate_series(1, 9) g', [], {batchSize: 2}))) seen.push(r.v); } catch (e) { return [seen, e.code]; } });
  await check('copy from', async () => { const s = c.query(copy.from('COPY nod FROM STDIN')); await pipeline(Readable.from([...Array(500).keys()].map(i => `${i}\tv${i}\n`)), s); return [s.rowCount, await all('SELECT count(*), max(b) FROM nod')]; });
  await check('copy from that fails', () => failure(pipeline(Readable.from(['1\t2\t3\n']), c.query(copy.from('COPY nod FROM STDIN')))));
  await check('copy to', async () => { let text = ''; await pipeline(c.query(copy.to('COPY (SELECT id, name, email FROM customer ORDER BY id) TO STDOUT (FORMAT csv, HEADER)')), new Writable({write(b, _, done) { text += b; done(); }})); return text; });
  await check('notification', async () => { const got = new Promise(yes => c.once('notification', m => yes([m.channel, m.payload]))); await c.query('LISTEN ch'); await c.query("NOTIFY ch, 'hello'"); return got; });
  await check('notice', async () => { const got = new Promise(yes => c.once('notice', n => yes([n.severity, n.code, n.message]))); await c.query('DROP TABLE IF EXISTS nowhere'); return got; });
  await check('cancel', async () => { const pid = (await c.query('SELECT pg_backend_pid() p')).rows[0].p; const d = new pg.Client({connectionString: uri}); await d.connect(); setTimeout(() => d.query('SELECT pg_cancel_backend($1)', [pid]), 200); const e = await failure(c.query('SELECT pg_sleep(10)')); await d.end(); return e; });
  await check('statement timeout', async () => { const d = new pg.Client({connectionString: uri, statement_timeout: 100, application_name: 'app', idle_in_transaction_session_timeout: 5000}); await d.connect(); const e = await failure(d.query('SELECT pg_sleep(10)')); const r = await d.query("SELECT current_setting('application_name') a, current_setting('statement_timeout') s, current_setting('idle_in_transaction_session_timeout') i"); await d.end(); return [e, r.rows]; });
  await check('pool', async () => { const p = new pg.Pool({connectionString: uri, max: 4}); const out = await Promise.all([...Array(20).keys()].map(i => p.query('SELECT $1::int * 2 AS v', [i]).then(r => r.rows[0].v))); await p.end(); return out; });
  await check('terminated by another', async () => { const d = new pg.Client({connectionString: uri}); await d.connect(); const lost = new Promise(yes => d.on('error', e => yes(e.code || e.message))); const pid = (await d.query('SELECT pg_backend_pid() p')).rows[0].p; await c.query('SELECT pg_terminate_backend($1)', [pid]); return lost; });
  await check('wrong password or database', async () => { const d = new pg.Client({connectionString: uri.replace(/\/[^/]*$/, '/nodb')}); try { await d.connect(); } catch (e) { return [e.code, e.severity, e.message]; } });
  await check('empty query', () => all(''));
  await check('large value', () => all('SELECT length($1) AS l', ['x'.repeat(3000000)]));
  await c.end();
};
