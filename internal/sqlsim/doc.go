// Package sqlsim runs sessions with random SQL on a simulated disk, cuts the power anywhere, and compares what comes back with a
// model. It is package simulation one storey higher: the whole stack but the wire is inside, so that catalog, indexes, foreign
// keys, sequences, temporary tables and savepoints are under test as users see them.
//
// Each client has tables of its own and numbers its transactions; a row of the table done holds the number of the last one. Its
// ledger is a list of states: what its tables look like after every transaction that it has sent. After a crash the row must
// name a state that is not older than the last acknowledged one, and everything must look like it: which tables, columns and
// indexes there are, all rows by scan and by index, parents of all children, no temporary table, no sequence value twice. So
// nothing acknowledged is lost and no transaction is there in part.
//
// Run is a function of its seed: one task at a time, chosen by the seed. Some crashes happen during recovery, and some work goes
// on after one.
package sqlsim
