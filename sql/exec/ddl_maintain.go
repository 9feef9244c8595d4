package exec

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

var vacuumOptions = map[string]bool{
	"full": true, "freeze": true, "verbose": true, "analyze": true, "disable_page_skipping": true, "skip_locked": true,
	"index_cleanup": true, "process_toast": true, "process_main": true, "truncate": true, "parallel": true,
	"skip_database_stats": true, "only_database_stats": true, "buffer_usage_limit": true,
}

// vacuumJob is a VACUUM or ANALYZE, its options read.
type vacuumJob struct {
	analyze, full, skip bool
	word                string // for messages
}

func newVacuumJob(v *plan.Vacuum) (*vacuumJob, error) {
	j := &vacuumJob{analyze: v.Analyze, word: "vacuum"}
	if v.Analyze {
		j.word = "analyze"
	}
	for _, o := range v.Options {
		if !vacuumOptions[o.Name] {
			return nil, pgerr.New(pgerr.SyntaxError, "unrecognized %s option \"%s\"", strings.ToUpper(j.word), o.Name).At(o.Pos)
		}
		var into *bool
		switch o.Name {
		case "analyze":
			into = &j.analyze
		case "full":
			into = &j.full
		case "skip_locked":
			into = &j.skip
		default:
			continue
		}
		on, err := o.Bool()
		if err != nil {
			return nil, err
		}
		*into = on || o.Name == "analyze" && v.Analyze
	}
	return j, nil
}

// lock takes a table's lock; nil says that SKIP_LOCKED passed over it.
func (j *vacuumJob) lock(d *ddl, name plan.QName) (*catalog.Relation, error) {
	mode := engine.LockShareUpdateExclusive
	if j.full {
		mode = engine.LockAccessExclusive
	}
	if j.skip {
		d.view.Refresh()
		if o := d.find(catalog.ClassRelation, name); o != nil {
			err := d.rt.Txn.LockTable(d.ctx, uint64(o.Head().OID), mode, engine.NoWait)
			if err == engine.ErrLockNotAvailable {
				d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.LockNotAvailable, "skipping %s of \"%s\" --- lock not available", j.word, name.Name))
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return d.lockRelation(name, mode)
}

// vacuum is VACUUM and ANALYZE. The engine merges and forgets old versions by itself, so
// VACUUM has only statistics to gather.
func (d *ddl) vacuum(v *plan.Vacuum) error {
	j, err := newVacuumJob(v)
	if err != nil {
		return err
	}
	var tables []*catalog.Relation
	var columns [][]string
	for i, name := range v.Tables {
		if d.isSystem(name) { // computed at every reading: nothing to gather or to clean
			continue
		}
		if skip := d.mayNotVacuum(name, j.word); skip {
			continue
		}
		r, err := j.lock(d, name)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		if r.Store == 0 {
			d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.Warning, "skipping \"%s\" --- cannot vacuum non-tables or special system tables", r.Name))
			continue
		}
		for _, name := range v.Columns[i] {
			if columnNamed(r, name) == nil {
				return undefinedColumn(name, r.Name)
			}
		}
		tables, columns = append(tables, r), append(columns, v.Columns[i])
	}
	if !j.analyze {
		return nil
	}
	if len(v.Tables) == 0 {
		d.view.Relations(func(r *catalog.Relation) bool {
			if r.Store != 0 && (r.Kind == catalog.KindTable || r.Kind == catalog.KindMatView) {
				tables, columns = append(tables, r), append(columns, nil)
			}
			return true
		})
	}
	d.step()
	for i, r := range tables {
		if err := d.analyze(r, columns[i]); err != nil {
			return err
		}
	}
	return nil
}

// mayNotVacuum warns who owns neither a table nor the database, before its lock is waited for.
func (d *ddl) mayNotVacuum(name plan.QName, word string) bool {
	d.view.Refresh()
	o, user := d.find(catalog.ClassRelation, name), d.bind.User()
	if o == nil || privilege.Owns(d.view, user, o) {
		return false
	}
	if db := d.view.Database(d.view.DatabaseOID()); db != nil && privilege.Owns(d.view, user, db) {
		return false
	}
	d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.Warning, "skipping \"%s\" --- only table or database owner can %s it", o.Head().Name, word))
	return true
}

// reindexLock keeps everybody from a table while its indexes get new stores. PostgreSQL locks the table in SHARE mode and
// each index in ACCESS EXCLUSIVE mode, on which whoever plans a statement over the table waits, too; here indexes have no
// locks of their own.
const reindexLock = engine.LockAccessExclusive

// reindex builds indexes anew.
func (d *ddl) reindex(x *plan.Reindex) error {
	switch x.Kind {
	case "index":
		o, err := d.lockNamed(x.Name, reindexLock)
		if err != nil {
			return err
		}
		i, ok := o.(*catalog.Index)
		if o == nil {
			return undefinedRelation(x.Name)
		}
		if !ok {
			return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not an index", o.Head().Name)
		}
		return d.rebuildIndex(d.view.Relation(i.Table), i)
	case "table":
		r, err := d.lockRelation(x.Name, reindexLock)
		if err != nil {
			return err
		}
		return d.rebuildIndexes(r)
	case "schema":
		if _, err := d.schemaNamed(x.Name.Name); err != nil {
			return err
		}
	case "database", "system":
		db := d.view.Database(d.view.DatabaseOID())
		if x.Name.Name != "" && db != nil && x.Name.Name != db.Name {
			return pgerr.New(pgerr.FeatureNotSupported, "can only reindex the currently open database")
		}
	}
	var tables []*catalog.Relation
	d.view.Relations(func(r *catalog.Relation) bool {
		if r.Store != 0 && (x.Kind != "schema" || d.view.SchemaName(r.Schema) == x.Name.Name) {
			tables = append(tables, r)
		}
		return true
	})
	for _, r := range tables {
		if err := d.lockTable(r.OID, reindexLock); err != nil {
			return err
		}
		if err := d.rebuildIndexes(r); err != nil {
			return err
		}
	}
	return nil
}

func (d *ddl) rebuildIndexes(r *catalog.Relation) error {
	for _, i := range d.view.IndexesOf(r) {
		if err := d.rebuildIndex(r, i); err != nil {
			return err
		}
	}
	return nil
}

// rebuildIndex gives an index a new store and fills it. The face of the storage key has none.
func (d *ddl) rebuildIndex(r *catalog.Relation, i *catalog.Index) error {
	if i.Store == 0 {
		return nil
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, r.OID); err != nil {
		return err
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassIndex, i.OID); err != nil {
		return err
	}
	r = d.view.Relation(r.OID)
	next := *d.view.Index(i.OID)
	d.rt.Txn.TransferReads(engine.StoreID(next.Store), engine.StoreID(r.Store))
	if err := d.rt.Txn.DropStore(engine.StoreID(next.Store)); err != nil {
		return err
	}
	next.Store, next.Valid, next.NotReady, next.Retain = uint64(d.view.NewStore()), true, false, r.RetentionNumber()
	if err := d.makeIndexStore(r, &next); err != nil {
		return err
	}
	if err := d.putIndexOf(r, &next); err != nil {
		return err
	}
	d.step()
	return d.fillIndex(r, &next)
}

// cluster is CLUSTER. Rows are kept in the order of their storage key always, so clustering on
// the primary key finds the work done; another order is remembered, not imposed.
func (d *ddl) cluster(c *plan.Cluster) error {
	if c.Table.Name == "" {
		return nil
	}
	r, err := d.lockBaseTable(c.Table, engine.LockAccessExclusive)
	if err != nil {
		return err
	}
	indexes := d.view.IndexesOf(r)
	at := slices.IndexFunc(indexes, func(i *catalog.Index) bool {
		return c.Index == "" && i.Clustered || c.Index != "" && i.Name == c.Index
	})
	switch {
	case at < 0 && c.Index == "":
		return pgerr.New(pgerr.UndefinedObject, "there is no previously clustered index for table \"%s\"", r.Name)
	case at < 0:
		return pgerr.New(pgerr.UndefinedObject, "index \"%s\" for table \"%s\" does not exist", c.Index, r.Name)
	}
	if indexes[at].Method == "gin" {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot cluster on index \"%s\" because access method does not support clustering", indexes[at].Name)
	}
	w := d.alter(r)
	if err := w.clusterOn(&plan.AlterCommand{Action: "cluster_on", Name: indexes[at].Name}); err != nil {
		return err
	}
	return w.finishAlter()
}

// isSystem reports whether a name is that of a system table.
func (d *ddl) isSystem(name plan.QName) bool {
	schemas := d.bind.SearchPath()
	if name.Schema != "" {
		s := d.view.SchemaByName(name.Schema)
		if s == nil {
			return false
		}
		schemas = []OID{s.OID}
	}
	for _, s := range schemas {
		if o := d.view.ByName(catalog.ClassRelation, s, name.Name); o != nil {
			r, ok := o.(*catalog.Relation)
			return ok && r.Kind == catalog.KindVirtual
		}
	}
	return false
}
