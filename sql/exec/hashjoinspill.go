package exec

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// partitioner distributes rows over files by the hash of their keys.
type partitioner struct {
	op     *hashJoinOp
	kinds  []column.Kind
	files  [spillParts]*spillFile
	depth  int
	encode *keyColumns
	buf    []byte
	vals   []column.Datum
}

func (o *hashJoinOp) partitioner(kinds []column.Kind, depth int) (*partitioner, error) {
	k, err := o.st.keyColumns(o.keyTypes)
	return &partitioner{op: o, kinds: kinds, depth: depth, encode: k, vals: make([]column.Datum, len(kinds))}, err
}

// add writes the rows of b. Rows whose key equals nothing go anywhere: the first partition.
func (p *partitioner) add(b *column.Batch, keys []*column.Vec) error {
	for _, r := range selected(b, b.Sel) {
		part := uint64(0)
		if !p.op.unmatchable(keys, r) {
			p.buf = p.encode.of(keys, r, p.buf[:0])
			part = types.CombineHash(types.HashBytes(p.buf), uint64(p.depth)+1) % spillParts
		}
		if p.files[part] == nil {
			f, err := p.op.st.newSpill(p.kinds)
			if err != nil {
				return err
			}
			p.files[part] = f
		}
		for c := range p.vals {
			p.vals[c] = b.Cols[c].Datum(int(r))
		}
		if err := p.files[part].add(p.vals); err != nil {
			return err
		}
	}
	return p.op.st.rt.canceled()
}

// partitionRight moves the table and the rest of the right side to files.
func (o *hashJoinOp) partitionRight(in rowSource, depth int) error {
	p, err := o.partitioner(o.rightKinds, depth)
	if err != nil {
		return err
	}
	o.split = true
	o.queue = slices.Grow(o.queue, spillParts)
	keys := make([]*column.Vec, len(o.rightKeys))
	for _, b := range o.table.rows.batches {
		if keys, err = evalKeys(o.rightKeys, b, keys); err != nil {
			return err
		}
		if err := p.add(b, keys); err != nil {
			return err
		}
	}
	o.st.shrink(o.table.held)
	o.table = nil
	for {
		b, err := in.next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if keys, err = evalKeys(o.rightKeys, b, keys); err != nil {
			return err
		}
		if err := p.add(b, keys); err != nil {
			return err
		}
	}
	for _, f := range p.files {
		if f != nil {
			if err := f.seal(); err != nil {
				return err
			}
			o.figures.Spilled += f.size
		}
		o.queue = append(o.queue, joinPart{right: f, depth: depth + 1})
	}
	o.figures.Parts += spillParts
	return nil
}

// partitionLeft distributes the left side over the partitions that were queued last.
func (o *hashJoinOp) partitionLeft(in rowSource) error {
	parts := o.queue[len(o.queue)-spillParts:]
	p, err := o.partitioner(o.leftKinds, parts[0].depth-1)
	if err != nil {
		return err
	}
	keys := make([]*column.Vec, len(o.leftKeys))
	for {
		b, err := in.next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if keys, err = evalKeys(o.leftKeys, b, keys); err != nil {
			return err
		}
		if err := p.add(b, keys); err != nil {
			return err
		}
	}
	for i, f := range p.files {
		parts[i].left = f
		if f != nil {
			o.figures.Spilled += f.size
		}
	}
	o.tail = true // the table is gone: go on with the first partition
	if o.table == nil {
		o.table, err = o.newTable()
	}
	return err
}

// nextPart starts joining the next pair of files; false when there is none.
func (o *hashJoinOp) nextPart() (bool, error) {
	for {
		if o.part != nil {
			o.part.close()
			o.part = nil
		}
		if len(o.queue) == 0 {
			return false, nil
		}
		part := o.queue[len(o.queue)-1]
		o.queue = o.queue[:len(o.queue)-1]
		o.part = &part
		if part.left == nil && !o.pairs.keepsRight() {
			continue
		}
		o.resetProbe()
		if o.table != nil {
			o.st.shrink(o.table.held)
		}
		right, err := o.source(part.right)
		if err != nil {
			return false, err
		}
		left, err := o.source(part.left)
		if err != nil {
			return false, err
		}
		if err := o.build(right, part.depth); err != nil {
			return false, err
		}
		if o.table == nil { // partitioned again
			if err := o.partitionLeft(left); err != nil {
				return false, err
			}
			continue
		}
		o.probe = left
		return true, nil
	}
}

// noRows is an empty side.
type noRows struct{}

func (noRows) next() (*column.Batch, error) { return nil, nil }

func (o *hashJoinOp) source(f *spillFile) (rowSource, error) {
	if f == nil {
		return noRows{}, nil
	}
	r, err := f.reader()
	if err != nil {
		return nil, err
	}
	return &fileSource{r: r, size: o.st.rt.batchSize()}, nil
}
