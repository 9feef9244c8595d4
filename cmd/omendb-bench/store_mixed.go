package main

import "math/rand/v2"

// Look-ups among puts: of a hundred rows, drawn at random, five are written as
// they are, in one batch, and the others read. What is read is what was
// committed last.
const (
	mixedWork  = "mixed, 95 gets to 5 puts"
	mixedBlock = 100
	mixedPuts  = 5
)

// seer is a store that reads from a snapshot, and takes a new one.
type seer interface{ renew() }

func getsAndPuts(s disk, keys []uint64, put func([]uint64) error) (sum uint64, err error) {
	for len(keys) > 0 {
		part := keys[:min(mixedBlock, len(keys))]
		keys = keys[len(part):]
		if err := put(part[:min(mixedPuts, len(part))]); err != nil {
			return 0, err
		}
		if s, ok := s.(seer); ok {
			s.renew()
		}
		n, err := s.get(part[min(mixedPuts, len(part)):])
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// mixes measures look-ups among puts, durable ones and, where a store has them,
// others: wall time, because puts wait for the disk.
func (b *storeRun) mixes() error {
	rng := rand.New(rand.NewPCG(b.seed, 5))
	for _, volatile := range []bool{false, true} {
		work := mixedWork
		if volatile {
			work += ", not synced"
		}
		keys := make([][]uint64, b.rounds)
		for i := range keys {
			for _, at := range probes(rng, b.rows, b.probes, false) {
				keys[i] = append(keys[i], keyOf(at))
			}
		}
		var run []contender
		for i, s := range b.stores {
			put := s.put
			if v, ok := s.(volatilePutter); volatile && ok {
				put = v.putVolatile
			} else if volatile {
				continue
			}
			run = append(run, contender{name: b.makers[i].name, run: func(round int) (int, uint64, error) {
				sum, err := getsAndPuts(s, keys[round], put)
				return b.probes, sum, err
			}, rest: func() { settle(settleLimit) }})
		}
		if len(run) == 0 {
			continue
		}
		settle(settleLimit)
		samples, err := compare(b.data, work, b.rows, b.rounds, wallTime, run)
		if err != nil {
			return err
		}
		if err := b.report.add(samples); err != nil {
			return err
		}
	}
	return nil
}
