// node run.js CLIENT URI
'use strict';
process.env.TZ = 'UTC';
const [client, uri] = process.argv.slice(2);
if (!['pg', 'postgres', 'knex', 'sequelize', 'typeorm', 'drizzle', 'kysely'].includes(client) || !uri) {
  console.error('usage: node run.js pg|postgres|knex|sequelize|typeorm|drizzle|kysely URI');
  process.exit(2);
}
process.on('unhandledRejection', e => console.log('FAIL unhandled:', e));
require('./' + client)(uri).then(() => process.exit(0), e => { console.log('FAIL session:', e.stack); process.exit(1); });
