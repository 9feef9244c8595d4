package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"
)

// volatilePutter is a store that commits without a sync, too: what was
// committed last may be lost with the power.
type volatilePutter interface{ putVolatile(keys []uint64) error }

// inserter is a store that can refuse a key that has a row: it has to look.
type inserter interface{ insert(keys []uint64) error }

// storeWrites commits batches of new rows, in random places and behind all
// others, synced and not.
func storeWrites(o *storeOptions, r report, makers []maker, stores []disk) error {
	ends := make([]int, len(stores)) // the rows of each store that came in order
	for i := range ends {
		ends[i] = o.rows
	}
	for kind := range uint64(4) {
		sorted, volatile := kind&2 != 0, kind&1 != 0
		// Puts at random are the same for all stores; those in order are behind
		// all that their own store has, inserts of another contender's included.
		draw := func(store int, insert bool, round int) []uint64 {
			stream := uint64(round)<<3 | kind<<1
			if insert {
				stream |= 1
			}
			rng := rand.New(rand.NewPCG(o.seed, stream))
			keys := make([]uint64, o.batches*o.batch)
			for i := range keys {
				if sorted {
					keys[i] = keyOf(ends[store])
					ends[store]++
				} else {
					keys[i] = keyOf(rng.IntN(o.rows)) + 1 + rng.Uint64N(keyStep-1)
				}
			}
			return keys
		}
		work := fmt.Sprintf("%s batches of %d, %s keys", map[bool]string{false: "durable", true: "not synced"}[volatile], o.batch,
			map[bool]string{false: "random", true: "sorted"}[sorted])
		if !strings.Contains(work, o.only) {
			continue
		}
		if err := writeBatches(o, r, work, volatile, draw, makers, stores); err != nil {
			return err
		}
	}
	return nil
}

// settleLimit bounds the wait for a store's background work to end.
const settleLimit = 10 * time.Second

// writeBatches measures one kind of batches: wall time, with the processor's
// noted. Those that look for duplicates insert keys that nobody has put. What a store still does when the last batch
// is committed, flushes and merges, is waited for: it takes no processor from
// the next store, and is in the processor time.
func writeBatches(o *storeOptions, r report, work string, volatile bool, draw func(store int, insert bool, round int) []uint64, makers []maker, stores []disk) error {
	var run []contender
	used, own := make(map[string][]float64), make(map[string][]float64)
	add := func(store int, name string, insert bool, put func([]uint64) error) {
		var before time.Duration
		var keys []uint64
		run = append(run, contender{name: name, ready: func(round int) { keys = draw(store, insert, round) }, run: func(int) (int, uint64, error) {
			if o.thread {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			thread := threadTime()
			before = processorTime()
			for list := keys; len(list) > 0; list = list[o.batch:] {
				if err := put(list[:o.batch]); err != nil {
					return 0, 0, err
				}
			}
			own[name] = append(own[name], float64((threadTime()-thread)/time.Nanosecond)/float64(len(keys)))
			return len(keys), 0, nil
		}, rest: func() {
			settle(settleLimit)
			used[name] = append(used[name], float64((processorTime()-before)/time.Nanosecond)/float64(len(keys)))
		}})
	}
	for i, s := range stores {
		v, ok := s.(volatilePutter)
		switch {
		case makers[i].open == nil || volatile && !ok:
		case volatile:
			add(i, makers[i].name, false, v.putVolatile)
		default:
			add(i, makers[i].name, false, s.put)
			if n, ok := s.(inserter); ok {
				add(i, makers[i].name+", looking for duplicates", true, n.insert)
			}
		}
	}
	settle(settleLimit)
	samples, err := compare("rows of 100 bytes", work, o.rows, o.rounds, wallTime, run)
	if err != nil {
		return err
	}
	for i := range samples {
		samples[i].Note = fmt.Sprintf("processor time %.0f ns", median(used[samples[i].Structure]))
		if o.thread {
			samples[i].Note += fmt.Sprintf(", of the thread that commits %.0f", median(own[samples[i].Structure]))
		}
	}
	return r.add(samples)
}
