package main

import (
	"errors"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/security"
)

// tlsOptions turns the flags on TLS into options.
func (s *startFlags) tlsOptions(log zerolog.Logger) (opts []omendb.Option, err error) {
	if (s.tlsCert == "") != (s.tlsKey == "") {
		return nil, usageError{errors.New("--tls-cert and --tls-key belong together")}
	}
	if s.tlsCert == "" {
		switch {
		case s.requireTLS:
			return nil, usageError{errors.New("--require-tls needs --tls-cert and --tls-key")}
		case s.tlsClientCA != "":
			return nil, usageError{errors.New("--tls-client-ca needs --tls-cert and --tls-key")}
		}
		return nil, nil
	}
	certs, err := security.LoadCertificates(s.tlsCert, s.tlsKey, func(err error) {
		log.Error().Str("event", "tls.reload").Err(err).Msg("the TLS certificate was not loaded again; the old one stays in use")
	})
	if err != nil {
		return nil, err
	}
	opts = append(opts, omendb.WithTLS(certs))
	if s.requireTLS {
		opts = append(opts, omendb.WithRequireTLS())
	}
	demand, err := security.ParseClientCert(s.tlsClientCert)
	if err != nil {
		return nil, usageError{err}
	}
	if s.tlsClientCA != "" {
		issuers, err := security.LoadAuthorities(s.tlsClientCA, func(err error) {
			log.Error().Str("event", "tls.reload").Err(err).Msg("the issuers of clients' certificates were not loaded again; the old ones stay in use")
		})
		if err != nil {
			return nil, err
		}
		opts = append(opts, omendb.WithClientCertificates(issuers, demand))
	}
	return opts, nil
}
