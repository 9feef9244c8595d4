package sqllogic_test

import (
	"context"
	"errors"

	"github.com/omendb/omendb/internal/sqllogic"
)

// memory opens an OmenDB in memory for every script and talks to it through the wire protocol.
type memory struct{}

func (memory) Create(ctx context.Context, name string) (sqllogic.Connect, func(), error) {
	return nil, nil, errors.New("no library yet")
}
