package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestKill kills the server in the middle of inserts, time after time. What was
// acknowledged, by a ledger outside of the server, is there afterwards; what is
// there was sent, whole.
func TestKill(t *testing.T) {
	const rounds, clients = 3, 4
	dir := filepath.Join(t.TempDir(), "data")
	var mu sync.Mutex
	acked := map[int]bool{}
	sent := 0
	for round := range rounds {
		s := startServer(t, dir)
		setup := s.mustConnect("sslmode=disable passfile=%s", filepath.Join(dir, passFile))
		if round == 0 {
			must(t, setup, "CREATE TABLE ledger (id int PRIMARY KEY, twice int NOT NULL, UNIQUE (twice))")
		}
		var group sync.WaitGroup
		for range clients {
			c := s.mustConnect("sslmode=disable passfile=%s", filepath.Join(dir, passFile))
			group.Add(1)
			go func() {
				defer group.Done()
				for {
					mu.Lock()
					id := sent
					sent += 2
					mu.Unlock()
					// Two rows of one transaction: both or none.
					_, err := c.Exec(context.Background(), fmt.Sprintf("INSERT INTO ledger VALUES (%d, %d), (%d, %d)", id, 2*id, id+1, 2*id+2))
					if err != nil {
						return
					}
					mu.Lock()
					acked[id], acked[id+1] = true, true
					mu.Unlock()
				}
			}()
		}
		time.Sleep(200*time.Millisecond + time.Duration(rand.IntN(200))*time.Millisecond)
		s.kill()
		group.Wait()
		checkLedger(t, dir, acked, sent)
	}
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged")
	}
}

// checkLedger compares what is there with what must be, after a restart.
func checkLedger(t *testing.T, dir string, acked map[int]bool, sent int) {
	t.Helper()
	s := startServer(t, dir)
	defer s.stop(os.Interrupt)
	c := s.mustConnect("sslmode=disable passfile=%s", filepath.Join(dir, passFile))
	rows, err := c.Query(context.Background(), "SELECT id, twice FROM ledger")
	if err != nil {
		t.Fatal(err)
	}
	there := map[int]bool{}
	for rows.Next() {
		var id, twice int
		if err := rows.Scan(&id, &twice); err != nil || twice != 2*id || id >= sent {
			t.Fatalf("row %d %d: %v", id, twice, err)
		}
		there[id] = true
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	lost := 0
	for id := range acked {
		if !there[id] {
			lost++
		}
	}
	for id := range there {
		if !there[id^1] {
			t.Fatalf("half a transaction: row %d alone", id)
		}
	}
	if lost > 0 {
		t.Fatalf("%d of %d acknowledged rows are lost", lost, len(acked))
	}
	if n := count(t, c, "SELECT count(*) FROM ledger"); n != len(there) {
		t.Fatalf("count(*) is %d, there are %d rows", n, len(there))
	}
	t.Logf("%d acknowledged, %d found", len(acked), len(there))
}
