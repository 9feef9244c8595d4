// Package simulation runs the engine and its log under random work on a
// simulated disk, and cuts the power anywhere.
//
// A Program is what a run does: clients with transactions, a maintenance task
// that flushes and merges. It is a function of its seed, and so is the run: one
// task at a time, chosen by the seed (task.Sim), on vfs.Mem. Run executes it
// and takes a Crash, the disk as a power failure may leave it, before
// operations that change the disk. Check recovers such a disk and compares all
// stores with the history of the run:
//
//   - every commit that had been acknowledged is there, whole;
//   - of the others, those that are there form, with the acknowledged ones, a
//     prefix of the log, and no part of any other is there;
//   - the index stores hold exactly the entries of the rows of the table store;
//   - sequences, store numbers and transaction numbers do not come back;
//   - every file verifies.
//
// The logical schema is one table (primary key, text, a unique number, and
// columns that are added meanwhile) with a plain and a unique index, and a
// ledger in which every transaction leaves its number. Truncation swaps the
// stores, bulk loads link segments, savepoints roll back, backups hold the log and
// the segments that they list.
package simulation
