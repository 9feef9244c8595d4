// A session of TypeORM: entity schemas, synchronisation, migrations and its schema reader.
'use strict';
require('reflect-metadata');
const {DataSource, EntitySchema, Table, TableColumn, TableForeignKey, TableIndex, In, LessThan, ILike} = require('typeorm');
const {check, failure, faults, version} = require('./check');

module.exports = async uri => {
  version('typeorm');
  const Ship = new EntitySchema({name: 'Ship', tableName: 'ship', columns: {id: {type: Number, primary: true, generated: true}, name: {type: String, length: 40, unique: true}, kind: {type: 'enum', enum: ['sail', 'steam'], default: 'sail'}, data: {type: 'jsonb', nullable: true}, tags: {type: 'text', array: true, default: []}, tons: {type: 'numeric', precision: 8, scale: 2, default: 1.5}, key: {type: 'uuid', generated: 'uuid'}, made: {type: 'timestamp with time zone', createDate: true}, seen: {type: 'timestamp', updateDate: true}, gone: {type: 'timestamp', deleteDate: true, nullable: true}, v: {type: Number, version: true}, raw: {type: 'bytea', nullable: true}, day: {type: 'date', nullable: true, comment: 'a day'}, twice: {type: 'numeric', asExpression: 'tons * 2', generatedType: 'STORED', nullable: true}}, indices: [{name: 'ship_kind', columns: ['kind', 'tons']}], checks: [{name: 'ship_tons', expression: 'tons >= 0'}], relations: {crew: {type: 'one-to-many', target: 'Sailor', inverseSide: 'ship', cascade: true}}});
  const Sailor = new EntitySchema({name: 'Sailor', tableName: 'sailor', columns: {id: {type: 'bigint', primary: true, generated: 'identity'}, name: {type: 'varchar'}, age: {type: 'smallint', nullable: true}}, relations: {ship: {type: 'many-to-one', target: 'Ship', inverseSide: 'crew', onDelete: 'CASCADE', joinColumn: true, nullable: true}, skills: {type: 'many-to-many', target: 'Skill', joinTable: true, cascade: true}}});
  const Skill = new EntitySchema({name: 'Skill', tableName: 'skill', columns: {name: {type: String, primary: true}}});
  class First1700000000000 { async up(r) { await r.createTable(new Table({name: 'port', columns: [{name: 'id', type: 'int', isPrimary: true, isGenerated: true, generationStrategy: 'increment'}, {name: 'name', type: 'varchar', length: '30', isNullable: false}, {name: 'level', type: 'enum', enum: ['lo', 'hi'], default: "'lo'"}], checks: [{expression: "name <> ''"}]})); await r.createIndex('port', new TableIndex({name: 'port_name', columnNames: ['name'], isUnique: true, where: "name <> 'x'"})); } async down(r) { await r.dropTable('port'); } }
  class Second1700000000001 { async up(r) { await r.addColumn('port', new TableColumn({name: 'ship_id', type: 'int', isNullable: true})); await r.createForeignKey('port', new TableForeignKey({columnNames: ['ship_id'], referencedTableName: 'ship', referencedColumnNames: ['id'], onDelete: 'SET NULL'})); await r.changeColumn('port', 'name', new TableColumn({name: 'title', type: 'text', default: "'t'"})); } async down(r) { await r.dropColumn('port', 'ship_id'); } }
  const db = new DataSource({type: 'postgres', url: uri, uuidExtension: 'pgcrypto', entities: [Ship, Sailor, Skill], migrations: [First1700000000000, Second1700000000001], logging: false});
  await check('initialize', async () => { await db.initialize(); });
  await check('schema log', async () => (await db.driver.createSchemaBuilder().log()).upQueries.map(q => q.query));
  await check('synchronize', () => db.synchronize());
  await check('synchronize again', async () => { const l = await db.driver.createSchemaBuilder().log(); await db.synchronize(); return l.upQueries.map(q => q.query); });
  await check('run migrations', async () => (await db.runMigrations()).map(m => m.name));
  await check('show migrations', () => db.showMigrations());
  const r = db.createQueryRunner();
  for (const t of ['ship', 'sailor', 'port', 'customer', 'purchase', 'kinds'])
    await check(`table ${t}`, async () => { const x = await r.getTable(t); return [x.columns.map(c => [c.name, c.type, c.length, c.precision, c.scale, c.isNullable, c.default, c.isPrimary, c.isUnique, c.isGenerated, c.generationStrategy, c.enum, c.isArray, c.comment, c.asExpression]), x.indices.map(i => [i.name, i.columnNames, i.isUnique, i.where]).sort(), x.foreignKeys.map(f => [f.name, f.columnNames, f.referencedTableName, f.onDelete]), x.uniques.map(u => u.name).sort(), x.checks.map(c => [c.name, c.expression]).sort()]; });
  await check('databases and schemas', async () => [(await r.hasDatabase('postgres')), await r.hasSchema('public'), await r.hasTable('ship'), await r.hasColumn('ship', 'kind'), await r.getCurrentSchema(), (await r.getSchemas()).includes('public')]);
  await check('undo migration', async () => { await db.undoLastMigration(); return r.hasColumn('port', 'ship_id'); });
  const ships = db.getRepository('Ship'), sailors = db.getRepository('Sailor');
  await check('save with cascade', async () => { const s = await ships.save({name: 'S1', data: {a: [1, null]}, tags: ['x', 'y"'], raw: Buffer.from([0, 7]), day: '2024-02-29', crew: [...Array(5).keys()].map(i => ({name: `c${i}`, age: i, skills: i ? [] : [{name: 'knots'}]}))}); const b = await ships.findOne({where: {id: s.id}, relations: {crew: {skills: true}}, order: {crew: {id: 'ASC'}}}); return [b.id, b.data, b.tags, b.tons, b.twice, b.kind, b.raw.toString('hex'), b.day, b.v, b.crew.map(c => [c.id, c.name, c.skills.length])]; });
  await check('update', async () => { const s = await ships.findOneBy({name: 'S1'}); s.tons = 9; await ships.save(s); return [(await ships.findOneBy({id: s.id})).v, (await ships.update({id: s.id}, {kind: 'steam'})).affected]; });
  await check('find operators', async () => (await sailors.find({where: [{age: LessThan(2)}, {name: ILike('C4%')}, {id: In([3])}], order: {id: 'DESC'}, take: 3, skip: 1})).map(x => x.name));
  await check('query builder', () => sailors.createQueryBuilder('s').innerJoin('s.ship', 'h').select('h.name', 'ship').addSelect('COUNT(*)', 'n').addSelect('MAX(s.age)', 'm').groupBy('h.name').having('COUNT(*) > :n', {n: 1}).getRawMany());
  await check('upsert', async () => (await ships.upsert([{name: 'S1', tons: 3}, {name: 'S2'}], ['name'])).identifiers);
  await check('insert returning', async () => (await db.createQueryBuilder().insert().into('Skill').values([{name: 'a'}, {name: 'b'}]).orIgnore().returning('name').execute()).raw);
  await check('soft delete', async () => { await ships.softDelete({name: 'S2'}); return [await ships.count(), await ships.count({withDeleted: true})]; });
  await check('stream', async () => { let n = 0; const s = await sailors.createQueryBuilder('s').stream().catch(e => e.message); if (typeof s === 'string') return s.slice(0, 40); for await (const x of s) n++; return n; });
  await check('transaction', async () => { await db.transaction('SERIALIZABLE', async m => { await m.delete('Sailor', {}); throw new Error('back'); }).catch(() => {}); return sailors.count(); });
  await check('nested transaction', async () => db.transaction(async m => { await m.transaction(async n => { await n.query('DELETE FROM sailor'); throw new Error('x'); }).catch(() => {}); return m.count('Sailor'); }));
  await check('pessimistic lock', () => db.transaction(async m => (await m.find('Sailor', {lock: {mode: 'pessimistic_write', onLocked: 'skip_locked'}, take: 2})).length));
  for (const [name, sql] of faults) await check(`error ${name}`, () => failure(db.query(sql)));
  await check('query failed error', async () => { try { await ships.insert({name: 'S1'}); } catch (e) { return [e.name, e.code, e.constraint, e.detail]; } });
  await check('drop database', async () => { await r.query('DROP VIEW rich'); await db.dropDatabase(); return (await r.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")); });
  await r.release();
  await db.destroy();
};
