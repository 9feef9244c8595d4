// Package torture loads a server process, kills it by SIGKILL at random moments, starts it again and compares everything in it
// with a ledger kept outside. It is behind `omendb torture`, so that users can run the proof on their own machines, and behind
// the test of package internal/killtest.
//
// Each connection is a Worker with rows of its own in every table and at most one transaction whose outcome is unknown: the one
// whose COMMIT was sent when the connection broke. So after a restart the server must hold exactly what the ledger says, with
// that one transaction as a whole or not at all. Workers share the accounts; what a transfer adds to each is in the ledger too.
//
// The ledger is a list of operations, and the expected content a function of it (Model). A backup made under load is restored
// and compared with the ledger at the point that it turns out to hold: every worker's last transaction in it must be one that
// had been sent, and none that was acknowledged before the backup began may be missing.
//
// It does not show what a power failure does: the operating system keeps what a killed process has written. That is simulated
// in internal/simulation.
package torture
