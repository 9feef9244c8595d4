// Package killtest shows that what the server acknowledged survives SIGKILL: clients move money between accounts and append
// rows while the process is killed again and again; each keeps a ledger of its acknowledged commits outside the server. It
// has no code of its own: run it by `go test ./internal/killtest`, longer with -kill.seconds.
package killtest
