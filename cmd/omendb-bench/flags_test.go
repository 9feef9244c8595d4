package main

import _ "github.com/omendb/omendb/internal/testflag" // accept the flags of `go test ./...`
