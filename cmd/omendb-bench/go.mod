module github.com/omendb/omendb/cmd/omendb-bench

go 1.26.0

require (
	github.com/google/btree v1.1.3
	github.com/omendb/omendb v0.0.0
	github.com/rs/zerolog v1.35.1
	github.com/tidwall/btree v1.8.2
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/omendb/omendb => ../..
