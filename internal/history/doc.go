// Package history runs random transactions against a server and decides
// afterwards, from what the clients saw alone, which anomalies of isolation
// took place.
//
// The main workload appends to lists, after Elle (Kingsbury and Alvaro, VLDB
// 2020): every value is unique, so that a list that was read tells the order
// of all writes before it, and whose they were. From the order follow the
// dependencies between transactions:
//
//	ww  both appended to a key, one right after the other
//	wr  one read what the other appended last
//	rw  one read a key before the other's append to it
//
// and from cycles of dependencies the anomalies, in the terms of Adya:
//
//	G0           a cycle of ww alone
//	G1a          a value of a transaction that was rolled back was read
//	G1b          some of a transaction's appends to a key were read, and not all
//	G1c          a cycle of ww and wr
//	G-single     a cycle with one rw
//	G-nonadjacent a cycle in which no two rw follow one another
//	G2-item      a cycle with several rw, all of reads by key
//	G2           a cycle with several rw, some of reads by a range
//
// Lost, doubled and reordered values are anomalies of every level.
//
// The types:
//
//	Conn     a client's connection; Query runs one statement
//	History  what happened; Check lists its anomalies
//	Append   the workload of lists
//	Bank     transfers between accounts, with invariants
//	Keys     unique and foreign keys under races
//	Failures serialization failures, and which of them were needless
//
// Other workloads state invariants of their own and need no checker.
package history
