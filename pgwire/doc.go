// Package pgwire speaks PostgreSQL's protocol, versions 3.0 to 3.2, with
// clients: start-up, TLS, login, simple and extended queries, COPY, cancel and
// notifications. It turns messages into calls of a Session and results into
// messages, and knows nothing of SQL.
//
// The types:
//
//	Server   accepts connections and cancels, shuts down, counts
//	Backend  what the server asks for logins and sessions; Session is one connection's
//	Pipe     a connection inside the process, for library mode
//
// One goroutine serves one connection: it reads a message, calls the session,
// and writes what the session yields. Replies are gathered and leave when the
// buffer is full, or when the client waits for them and there is nothing more to
// read: a pipelining client costs one write for many replies. A sweeper looks
// after connections that run long (is the client still there?) or idle long
// (give buffers back), and interrupts reads by their deadline.
//
// Before the login a stranger can cost the server one goroutine, 10 kB and the
// time limit for logins, and no more connections than the limit allows. After
// the login a message may be as large as MaxMessage, but memory is taken only as
// its bytes arrive.
//
// A panic of a session is our bug: the client gets XX000, the log the stack, and
// the connection goes on if the session can still mark its transaction as failed.
package pgwire
