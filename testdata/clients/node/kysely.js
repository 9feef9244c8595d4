// A session of Kysely: typed queries, schema, migrations and introspection.
'use strict';
const pg = require('pg');
const Cursor = require('pg-cursor');
const {check, failure, faults, version} = require('./check');
const {Kysely, Migrator, PostgresDialect, sql, CompiledQuery} = require('kysely');

module.exports = async uri => {
  version('kysely');
  const {jsonArrayFrom, jsonObjectFrom} = require('kysely/helpers/postgres');
  const db = new Kysely({dialect: new PostgresDialect({pool: new pg.Pool({connectionString: uri, max: 2}), cursor: Cursor})});
  const migrations = {
    '1': {up: k => k.schema.createTable('pet').addColumn('id', 'serial', c => c.primaryKey()).addColumn('name', 'varchar(20)', c => c.notNull().unique()).addColumn('owner', 'integer', c => c.references('customer.id').onDelete('cascade')).addColumn('kind', sql`mood`, c => c.defaultTo('ok')).addColumn('born', 'date').addCheckConstraint('named', sql`name <> ''`).execute(), down: k => k.schema.dropTable('pet').execute()},
    '2': {up: async k => { await k.schema.alterTable('pet').addColumn('data', 'jsonb').alterColumn('born', c => c.setDataType('timestamptz')).execute(); await k.schema.createIndex('pet_lower').on('pet').expression(sql`lower(name)`).execute(); }, down: k => k.schema.alterTable('pet').dropColumn('data').execute()},
  };
  const m = new Migrator({db, provider: {getMigrations: async () => migrations}});
  const results = async p => { const r = await p; if (r.error) throw r.error; return r.results.map(x => [x.migrationName, x.direction, x.status]); };
  await check('migrate', () => results(m.migrateToLatest()));
  await check('down and up', async () => [await results(m.migrateDown()), await results(m.migrateUp())]);
  await check('introspect tables', async () => (await db.introspection.getTables({withInternalKyselyTables: false})).sort((a, b) => (a.name < b.name ? -1 : 1)));
  await check('introspect schemas', async () => (await db.introspection.getSchemas()).map(s => s.name).sort());
  await check('insert', () => db.insertInto('pet').values([{name: 'a', owner: 1, data: JSON.stringify({k: [1]})}, {name: 'b', owner: 1}, {name: 'c', owner: 2}]).returningAll().execute());
  await check('select', () => db.selectFrom('pet').innerJoin('customer', 'customer.id', 'pet.owner').select(['pet.name', 'customer.name as owner']).where('pet.name', 'in', ['a', 'c']).orderBy('pet.id').execute());
  await check('json relations', () => db.selectFrom('customer').select(e => ['id', jsonArrayFrom(e.selectFrom('pet').select(['pet.id', 'pet.name']).whereRef('pet.owner', '=', 'customer.id').orderBy('pet.id')).as('pets'), jsonObjectFrom(e.selectFrom('pet').select('pet.name').whereRef('pet.owner', '=', 'customer.id').limit(1).orderBy('pet.id')).as('one')]).orderBy('id').limit(3).execute());
  await check('json path', () => db.selectFrom('pet').select(e => e.ref('data', '->').key('k').at(0).as('v')).where('name', '=', 'a').execute());
  await check('upsert', () => db.insertInto('pet').values({name: 'a', owner: 2}).onConflict(c => c.column('name').doUpdateSet(e => ({owner: e.ref('excluded.owner')}))).returning(['id', 'owner']).execute());
  await check('cte and window', () => db.with('x', q => q.selectFrom('pet').select(['id', 'owner'])).selectFrom('x').select(e => ['id', e.fn.agg('rank').over(o => o.partitionBy('owner').orderBy('id')).as('r')]).orderBy('id').execute());
  await check('aggregate filter', () => db.selectFrom('pet').select(e => [e.fn.countAll().as('n'), e.fn.count('id').filterWhere('owner', '=', 2).as('f'), e.fn.agg('array_agg', ['name']).as('a')]).execute());
  await check('merge', async () => (await db.mergeInto('pet').using('customer', 'customer.id', 'pet.owner').whenMatched().thenUpdateSet({born: null}).executeTakeFirst()).numChangedRows);
  await check('update from', async () => (await db.updateTable('pet').from('customer').whereRef('customer.id', '=', 'pet.owner').set({kind: 'happy'}).executeTakeFirst()).numUpdatedRows);
  await check('delete using', async () => (await db.deleteFrom('pet').using('customer').whereRef('customer.id', '=', 'pet.owner').where('pet.name', '=', 'c').executeTakeFirst()).numDeletedRows);
  await check('stream', async () => { let n = 0; for await (const r of db.selectFrom(sql`generate_series(1, 100)`.as('g')).selectAll().stream(7)) n++; return n; });
  await check('transaction', async () => { await db.transaction().setIsolationLevel('serializable').execute(async t => { await t.deleteFrom('pet').execute(); throw new Error('back'); }).catch(() => {}); return db.selectFrom('pet').select(e => e.fn.countAll().as('n')).execute(); });
  await check('savepoint', async () => { const t = await db.startTransaction().execute(); await t.savepoint('s').execute(); await t.deleteFrom('pet').execute(); await t.rollbackToSavepoint('s').execute(); const r = await t.selectFrom('pet').select(e => e.fn.countAll().as('n')).execute(); await t.commit().execute(); return r; });
  for (const [name, text] of faults) await check(`error ${name}`, () => failure(db.executeQuery(CompiledQuery.raw(text))));
  await check('explain', async () => (await db.selectFrom('pet').selectAll().explain('json')).length);
  await check('migrate to nothing', () => results(m.migrateTo(require('kysely').NO_MIGRATIONS)));
  await db.destroy();
};
