package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// storeLoads loads all rows in key order into fresh stores, in interleaved
// rounds: wall time until they are durable and can be read, with the processor's
// noted. Opening and closing are not counted.
func storeLoads(o *storeOptions, r report) error {
	top, remove, err := o.workDir()
	if err != nil {
		return err
	}
	defer remove()
	used := make(map[string][]float64)
	var loading time.Duration
	var run []contender
	for _, m := range o.makers() {
		if m.open == nil {
			continue
		}
		run = append(run, contender{name: m.name, run: func(round int) (int, uint64, error) {
			dir := filepath.Join(top, fmt.Sprint(m.name, round))
			s, err := m.open(dir, 64<<20)
			if err != nil {
				return 0, 0, err
			}
			start, before := wallTime(), processorTime()
			if err := s.load(o.rows); err != nil {
				return 0, 0, err
			}
			loading += wallTime() - start
			used[m.name] = append(used[m.name], float64((processorTime()-before)/time.Nanosecond)/float64(o.rows))
			if err := s.close(); err != nil {
				return 0, 0, err
			}
			return o.rows, 0, os.RemoveAll(dir)
		}})
	}
	samples, err := compare("rows of 100 bytes", "bulk load in key order", o.rows, o.rounds, func() time.Duration { return loading }, run)
	if err != nil {
		return err
	}
	for i := range samples {
		samples[i].Note = fmt.Sprintf("processor time %.0f ns", median(used[samples[i].Structure]))
	}
	return r.add(samples)
}
