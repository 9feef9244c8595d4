// The harness of the Node.js sessions: named checks, each of which prints "PASS name = value" or "FAIL name: error".
// A check passes on OmenDB when its line is the one that PostgreSQL gives.
'use strict';

exports.kinds = 'b i2 i4 i8 f4 f8 n nu t vc c by d tm tmz ts tsz iv u j jb ia ta na m p ad mn bt vb o nm'.split(' ');

exports.faults = [
  ['syntax', 'SELEC 1'], ['undefined table', 'SELECT * FROM nowhere'], ['unique', "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"],
  ['not null', 'INSERT INTO customer (id, name) VALUES (99, NULL)'], ['check', "INSERT INTO customer (id, name, balance) VALUES (99, 'x', -1)"],
  ['foreign key', 'INSERT INTO purchase (customer_id) VALUES (999)'], ['domain', 'SELECT 0::positive'], ['division', 'SELECT 1/0'], ['cast', "SELECT 'x'::int"],
];

exports.version = name => console.log('VERSION', JSON.parse(require('fs').readFileSync(`${__dirname}/node_modules/${name}/package.json`)).version);

exports.check = async (name, fn) => {
  try {
    const value = await Promise.race([fn(), new Promise((_, no) => setTimeout(() => no(new Error('no answer in 20 s')), 20000).unref())]);
    console.log('PASS', name, '=', exports.line(JSON.stringify(value, (k, v) => (typeof v === 'bigint' ? `${v}n` : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v))));
  } catch (e) {
    console.log('FAIL', name + ':', exports.line(String(e && e.message)));
  }
};

exports.line = s => String(s).replace(/\n/g, '\\n');

// fields returns what an error tells, whichever client it comes from.
exports.fields = e => {
  const o = e.original || e.driverError || e.cause || e;
  return [o.code, o.severity, o.message, o.detail, o.schema || o.schema_name, o.table || o.table_name, o.column || o.column_name, o.dataType || o.type_name, o.constraint || o.constraint_name, o.position];
};

// failure returns the fields of the error with which a promise has to fail.
exports.failure = async promise => {
  try {
    await promise;
  } catch (e) {
    return exports.fields(e);
  }
  throw new Error('no error');
};

exports.sleep = ms => new Promise(yes => setTimeout(yes, ms));
