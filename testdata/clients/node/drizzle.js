// A session of Drizzle over node-postgres and over postgres.js.
'use strict';
const pg = require('pg');
const postgres = require('postgres');
const {check, failure, version} = require('./check');
const fs = require('fs'), os = require('os'), path = require('path');
const d = require('drizzle-orm');
const t = require('drizzle-orm/pg-core');

module.exports = async uri => {
  version('drizzle-orm');
  const mood = t.pgEnum('mood', ['sad', 'ok', 'happy']);
  const customer = t.pgTable('customer', {id: t.integer('id').primaryKey().generatedByDefaultAsIdentity(), name: t.varchar('name', {length: 50}).notNull(), email: t.text('email').unique(), balance: t.numeric('balance', {precision: 10, scale: 2}).notNull().default('0'), created: t.timestamp('created').notNull().defaultNow()});
  const purchase = t.pgTable('purchase', {id: t.bigserial('id', {mode: 'number'}).primaryKey(), customerId: t.integer('customer_id').references(() => customer.id), state: mood('state'), lines: t.jsonb('lines'), total: t.numeric('total'), note: t.text('note')});
  const relations = {customerRelations: d.relations(customer, ({many}) => ({purchases: many(purchase)})), purchaseRelations: d.relations(purchase, ({one}) => ({customer: one(customer, {fields: [purchase.customerId], references: [customer.id]})}))};
  const schema = {customer, purchase, mood, ...relations};
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drizzle-'));
  fs.mkdirSync(folder + '/meta');
  fs.writeFileSync(folder + '/0000_a.sql', 'CREATE TABLE "dz" ("id" serial PRIMARY KEY, "a" text);\n--> statement-breakpoint\nCREATE INDEX "dz_a" ON "dz" USING btree ("a");');
  fs.writeFileSync(folder + '/meta/_journal.json', JSON.stringify({version: '7', dialect: 'postgresql', entries: [{idx: 0, version: '7', when: 1700000000000, tag: '0000_a', breakpoints: true}]}));
  for (const driver of ['node-postgres', 'postgres-js']) {
    const client = driver === 'postgres-js' ? postgres(uri, {max: 2, onnotice() {}}) : new pg.Pool({connectionString: uri, max: 2});
    const db = require('drizzle-orm/' + driver).drizzle(client, {schema});
    const c = (name, fn) => check(`${driver} ${name}`, fn);
    await c('migrate', async () => { const m = require(`drizzle-orm/${driver}/migrator`).migrate; await m(db, {migrationsFolder: folder}); await m(db, {migrationsFolder: folder}); });
    await c('select', () => db.select().from(customer).orderBy(customer.id).limit(3));
    await c('insert returning', () => db.insert(customer).values([{name: driver, email: driver}, {name: 'n'}]).returning({name: customer.name, balance: customer.balance}));
    await c('upsert', () => db.insert(customer).values({name: 'up', email: driver}).onConflictDoUpdate({target: customer.email, set: {name: d.sql`excluded.name || '!'`}}).returning({name: customer.name}));
    await c('join', () => db.select({n: customer.name, s: purchase.state, l: purchase.lines}).from(customer).innerJoin(purchase, d.eq(purchase.customerId, customer.id)).where(d.and(d.gt(purchase.total, '1'), d.isNotNull(purchase.note))).orderBy(purchase.id));
    await c('relational query', () => db.query.customer.findMany({columns: {id: true, name: true}, with: {purchases: {columns: {id: true, state: true, lines: true}, orderBy: purchase.id, limit: 2}}, orderBy: customer.id, limit: 2}));
    await c('nested relation', () => db.query.purchase.findFirst({with: {customer: true}, orderBy: purchase.id}));
    await c('aggregate', () => db.select({s: purchase.state, n: d.count(), t: d.sum(purchase.total)}).from(purchase).groupBy(purchase.state).orderBy(purchase.state));
    await c('subquery and cte', () => { const big = db.$with('big').as(db.select().from(customer).where(d.gt(customer.balance, '5'))); return db.with(big).select({n: big.name}).from(big).where(d.inArray(big.id, db.select({id: purchase.customerId}).from(purchase))).orderBy(big.id); });
    await c('prepared', async () => { const p = db.select({n: customer.name}).from(customer).where(d.eq(customer.id, d.sql.placeholder('id'))).prepare('p_' + driver); return [await p.execute({id: 1}), await p.execute({id: 2})]; });
    await c('update', () => db.update(customer).set({balance: d.sql`${customer.balance} + 1`}).where(d.eq(customer.id, 2)).returning({b: customer.balance}));
    await c('transaction', async () => { await db.transaction(async tx => { await tx.delete(purchase); await tx.transaction(async s => { await s.insert(customer).values({name: 'x'}); s.rollback(); }).catch(() => {}); tx.rollback(); }, {isolationLevel: 'serializable'}).catch(() => {}); return db.$count(purchase); });
    await c('error', () => failure(db.insert(customer).values({name: 'd', email: 'ada@example.com'})));
    await c('json parameter', () => db.insert(purchase).values({customerId: 3, lines: [{k: null}], state: 'sad'}).returning({l: purchase.lines}));
    await (client.end());
  }
};
