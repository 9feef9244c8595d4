// A session of Sequelize: models, synchronisation, associations and its query interface.
'use strict';
const {DataTypes: T, Op, Sequelize, Transaction} = require('sequelize');
const {check, failure, faults, version} = require('./check');

module.exports = async uri => {
  version('sequelize');
  const db = new Sequelize(uri, {logging: false});
  const Team = db.define('team', {name: {type: T.STRING(40), unique: true, allowNull: false}, kind: T.STRING(4), data: T.JSONB, tags: T.ARRAY(T.STRING), key: {type: T.UUID, defaultValue: T.UUIDV4}, fee: {type: T.DECIMAL(8, 2), defaultValue: 1}, on: T.DATEONLY, big: T.BIGINT, blob: T.BLOB, r: T.DOUBLE, low: {type: T.VIRTUAL}}, {comment: 'plays', indexes: [{fields: ['kind', {name: 'fee', order: 'DESC'}]}, {using: 'btree', fields: [db.fn('lower', db.col('name'))], name: 'team_lower'}], paranoid: true});
  const Player = db.define('player', {name: T.TEXT, age: {type: T.SMALLINT, validate: {min: 0}}, live: {type: T.BOOLEAN, defaultValue: true}});
  Team.hasMany(Player, {onDelete: 'CASCADE'});
  Player.belongsTo(Team);
  const Skill = db.define('skill', {name: {type: T.STRING, primaryKey: true}}, {timestamps: false});
  Player.belongsToMany(Skill, {through: 'player_skill'});
  const q = db.getQueryInterface();
  await check('authenticate', () => db.authenticate());
  await check('version', async () => (await db.databaseVersion()).split('.')[0]);
  await check('sync', async () => { await db.sync(); return (await q.showAllTables()).sort(); });
  await check('sync again', async () => { await db.sync(); });
  await check('sync alter', async () => { await db.sync({alter: true}); });
  for (const t of ['customer', 'purchase', 'kinds', 'teams', 'players']) {
    await check(`describe ${t}`, () => q.describeTable(t));
    await check(`indexes of ${t}`, async () => (await q.showIndex(t)).map(i => [i.name, i.unique, i.primary, i.fields.map(f => [f.attribute, f.order]), i.definition]).sort());
    await check(`constraints of ${t}`, async () => (await q.showConstraint(t)).map(c => [c.constraintName, c.constraintType, c.columnName]).sort());
    await check(`foreign keys of ${t}`, () => q.getForeignKeyReferencesForTable(t).then(l => l.map(f => [f.constraintName, f.columnName, f.referencedTableName, f.referencedColumnName])));
  }
  await check('create', async () => { const t = await Team.create({name: 'A', kind: 'a', data: {n: [1, {x: null}]}, tags: ['p', 'q"r'], on: '2024-02-29', big: '9007199254740993', blob: Buffer.from([0, 1]), r: 1.5, players: [{name: 'p1', age: 5}, {name: 'p2'}]}, {include: Player}); await t.reload(); return [t.id, t.data, t.tags, t.fee, t.on, t.big, t.blob.toString('hex'), t.r, t.players.length]; });
  await check('bulk create', async () => (await Player.bulkCreate([...Array(100).keys()].map(i => ({name: `b${i}`, age: i, teamId: 1})), {returning: true})).length);
  await check('upsert', async () => { const [t, made] = await Team.upsert({name: 'A', fee: 3}, {conflictFields: ['name']}); return [t.fee, made]; });
  await check('bulk upsert', async () => (await Skill.bulkCreate([{name: 's1'}, {name: 's2'}], {updateOnDuplicate: ['name']})).length);
  await check('include', async () => { const t = await Team.findOne({where: {name: 'A'}, include: {model: Player, where: {age: {[Op.lt]: 3}}, include: Skill}, order: [[Player, 'id', 'ASC']]}); return t.players.map(p => p.name); });
  await check('json query', () => Team.count({where: {'data.n[1].x': null, 'data.n[0]': 1}}));
  await check('array query', () => Team.count({where: {tags: {[Op.contains]: ['p']}}}));
  await check('operators', () => Player.count({where: {[Op.or]: [{name: {[Op.iLike]: 'B1%'}}, {age: {[Op.between]: [3, 5]}}, {name: {[Op.iRegexp]: '^p'}}, {age: {[Op.is]: null}}]}}));
  await check('aggregate', () => Player.findAll({attributes: ['teamId', [db.fn('avg', db.col('age')), 'a'], [db.fn('count', db.literal('DISTINCT name')), 'n']], group: 'teamId', order: ['teamId'], raw: true}));
  await check('find and count', async () => { const r = await Player.findAndCountAll({limit: 3, offset: 2, order: [['id', 'DESC']]}); return [r.count, r.rows.length]; });
  await check('find or create', async () => { const [s, made] = await Skill.findOrCreate({where: {name: 's9'}}); return [s.name, made]; });
  await check('many to many', async () => { const p = await Player.findByPk(1); await p.setSkills(['s1', 's2']); return p.countSkills(); });
  await check('increment and update', async () => { await Player.increment({age: 2}, {where: {id: [1]}}); const [n, rows] = await Player.update({live: false}, {where: {age: {[Op.gt]: 90}}, returning: true}); return [n, rows.length]; });
  await check('paranoid', async () => { await Team.destroy({where: {name: 'A'}}); const n = await Team.count(); await Team.restore(); return [n, await Team.count()]; });
  await check('unique error', async () => { try { await Team.create({name: 'A'}); } catch (e) { return [e.name, e.errors.map(x => [x.path, x.value]), e.original.constraint]; } });
  await check('foreign key error', async () => { try { await Player.create({teamId: 999}); } catch (e) { return [e.name, e.table, e.fields, e.index]; } });
  await check('transaction', async () => { await db.transaction({isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE}, async t => { await Player.destroy({where: {}, transaction: t}); throw new Error('back'); }).catch(() => {}); return Player.count(); });
  await check('nested', () => db.transaction(async t => { await db.transaction({transaction: t}, async s => { await Player.destroy({where: {}, transaction: s}); throw new Error('x'); }).catch(() => {}); return Player.count({transaction: t}); }));
  await check('lock', () => db.transaction(async t => (await Player.findAll({limit: 2, lock: t.LOCK.UPDATE, skipLocked: true, transaction: t})).length));
  for (const [name, sql] of faults) await check(`error ${name}`, () => failure(db.query(sql)));
  await check('bind and replacements', async () => [(await db.query('SELECT $1::int + $2::int AS n', {bind: [1, 2]}))[0], (await db.query('SELECT :a AS v', {replacements: {a: "x'y"}}))[0]]);
  await check('migrations', async () => { await q.createTable('mig', {id: {type: T.INTEGER, primaryKey: true, autoIncrement: true}, a: T.STRING}); await q.addColumn('mig', 'b', {type: T.CHAR(1), defaultValue: 'x'}); await q.changeColumn('mig', 'a', {type: T.TEXT, allowNull: false}); await q.renameColumn('mig', 'a', 'aa'); await q.addIndex('mig', ['aa'], {unique: true, where: {b: 'x'}}); await q.addConstraint('mig', {fields: ['b'], type: 'check', name: 'mig_ck', where: {b: ['x', 'y']}}); const d = await q.describeTable('mig'); await q.removeColumn('mig', 'b'); await q.renameTable('mig', 'mig2'); await q.dropTable('mig2'); return d; });
  await check('ENUM column', async () => { const E = db.define('enumerated', {e: T.ENUM('x', 'y')}); await E.sync(); const r = await E.create({e: 'y'}); await E.drop(); return r.e; });
  await check('drop', async () => { await db.drop(); return (await q.showAllTables()).sort(); });
  await db.close();
};
