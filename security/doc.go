// Package security decides who may log in and who may do what. It knows the
// mechanisms (SCRAM, TLS, peer credentials, privileges) and neither SQL nor the
// wire: callers bring stored verifiers and access lists, and carry the bytes.
//
// The types:
//
//	Verifier      what is stored instead of a password: SCRAM-SHA-256 keys
//	Exchange      the server's side of one SCRAM login (RFC 5802, RFC 7677)
//	Authenticator makes exchanges, alike for users who exist and who do not
//	Throttle      spaces out failing logins by address and user
//	Certificates  the server's TLS certificate, loaded again when the files change
//	Authorities   the issuers of clients' certificates; ClientCert is what is demanded of them
//	Request       one question to the privilege check point: Allowed
//
// Promises: a password is never stored nor logged; a client cannot tell an
// unknown user from a wrong password, neither by messages nor by their number,
// and both cost the server the same work.
package security
