// A session of Knex: query builder, schema builder and migrations.
'use strict';
const {check, failure, faults, version} = require('./check');

module.exports = async uri => {
  version('knex');
  const migration = (name, up, down) => ({name, up, down});
  const steps = [
    migration('1_band', k => k.schema.createTable('band', t => { t.increments(); t.string('name', 40).notNullable().unique(); t.timestamps(true, true); t.jsonb('data').defaultTo('{}'); t.enu('style', ['rock', 'jazz'], {useNative: true, enumName: 'style'}); t.decimal('fee', 8, 2).checkPositive(); t.uuid('key').defaultTo(k.fn.uuid()); t.specificType('tags', 'text[]'); t.comment('plays'); }), k => k.schema.dropTable('band').raw('DROP TYPE style')),
    migration('2_song', k => k.schema.createTable('song', t => { t.bigIncrements(); t.integer('band_id').unsigned().references('band.id').onDelete('CASCADE').index(); t.text('title'); t.index(['band_id', 'title'], 'song_both'); }), k => k.schema.dropTable('song')),
    migration('3_alter', k => k.schema.alterTable('band', t => { t.renameColumn('data', 'info'); t.string('name', 60).alter(); t.boolean('live').notNullable().defaultTo(true); t.dropUnique(['name']); t.unique(['name', 'style'], {indexName: 'band_both'}); }), k => k.schema.alterTable('band', t => { t.dropColumn('live'); t.renameColumn('info', 'data'); t.dropUnique(['name', 'style'], 'band_both'); t.unique(['name']); })),
  ];
  const source = {getMigrations: async () => steps, getMigrationName: m => m.name, getMigration: m => m};
  const k = require('knex')({client: 'pg', connection: uri, migrations: {migrationSource: source}, pool: {min: 0, max: 3}, log: {warn() {}, error() {}, deprecate() {}, debug() {}}});
  await check('migrate latest', () => k.migrate.latest());
  await check('migrate list', async () => (await k.migrate.list()).map(l => l.length));
  await check('roll back and again', async () => [await k.migrate.down(), await k.migrate.up(), await k.migrate.currentVersion()]);
  await check('column info', async () => Promise.all(['band', 'song', 'customer', 'kinds'].map(t => k(t).columnInfo())));
  await check('has table and column', async () => [await k.schema.hasTable('band'), await k.schema.hasTable('nope'), await k.schema.hasColumn('band', 'live')]);
  await check('insert', () => k('band').insert([{name: 'A', style: 'rock', info: {n: 1}, fee: 5, tags: ['x', 'y"z']}, {name: 'B', style: 'jazz'}], ['id', 'name', 'info', 'fee', 'tags', 'live']));
  await check('batch insert', async () => (await k.batchInsert('song', [...Array(250).keys()].map(i => ({band_id: 1 + (i % 2), title: `s${i}`})), 40).returning('id')).length);
  await check('select', () => k('song').join('band', 'band.id', 'song.band_id').where('band.name', 'A').whereIn('song.id', [1, 3, 5]).orderBy('song.id').select('song.id', 'title', 'band.name'));
  await check('aggregate', () => k('song').select('band_id').count('* as n').max('title as m').groupBy('band_id').having(k.raw('count(*) > ?', 2)).orderBy('band_id'));
  await check('with and window', () => k.with('c', k('song').select('*').limit(5).orderBy('id')).select('id').rowNumber('r', q => q.orderBy('id', 'desc')).from('c').orderBy('id'));
  await check('recursive', () => k.withRecursive('t', ['n'], q => q.select(k.raw('1')).unionAll(k.select(k.raw('n + 1')).from('t').where('n', '<', 5))).select('n').from('t'));
  await check('json operators', () => k('band').jsonExtract('info', '$.n', 'n').whereJsonSupersetOf('info', {n: 1}));
  await check('upsert', () => k('band').insert({name: 'A', style: 'rock', fee: 9}).onConflict(['name', 'style']).merge(['fee']).returning(['id', 'fee']));
  await check('update and delete', async () => [await k('song').where('id', '<', 3).update({title: k.raw('upper(title)')}, ['title']), await k('song').where('id', '>', 200).del()]);
  await check('transaction', async () => { await k.transaction(async t => { await t('song').del(); throw new Error('back'); }).catch(() => {}); return k('song').count(); });
  await check('savepoint', () => k.transaction(async t => { await t.transaction(async s => { await s('song').del(); throw new Error('x'); }).catch(() => {}); return t('song').count().forUpdate ? t('song').count() : 0; }));
  await check('isolation', async () => { const t = await k.transaction({isolationLevel: 'repeatable read'}); const r = await t.raw('SHOW transaction_isolation'); await t.rollback(); return r.rows; });
  await check('for update skip locked', () => k.transaction(t => t('song').where('id', 5).forUpdate().skipLocked()));
  await check('stream', async () => { let n = 0; for await (const r of k('song').select('id').stream()) n++; return n; });
  await check('timeout', async () => { try { await k.raw('SELECT pg_sleep(10)').timeout(300, {cancel: true}); } catch (e) { return e.name; } });
  for (const [name, sql] of faults) await check(`error ${name}`, () => failure(k.raw(sql)));
  await check('views', async () => { await k.schema.createView('v', v => { v.columns(['id']); v.as(k('song').select('id')); }); const n = await k('v').count(); await k.schema.dropView('v'); return n; });
  await check('truncate', async () => (await k('song').truncate(), k('song').count()));
  await check('rollback all', () => k.migrate.rollback(undefined, true));
  await k.destroy();
};
