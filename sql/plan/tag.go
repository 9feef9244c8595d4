package plan

import "strings"

// Tag implements Utility.
func (*CreateTable) Tag() string { return "CREATE TABLE" }

// Tag implements Utility.
func (*CreateView) Tag() string { return "CREATE VIEW" }

// Tag implements Utility.
func (*RefreshMatView) Tag() string { return "REFRESH MATERIALIZED VIEW" }

// Tag implements Utility.
func (*CreateIndex) Tag() string { return "CREATE INDEX" }

// Tag implements Utility.
func (*CreateSchema) Tag() string { return "CREATE SCHEMA" }

// Tag implements Utility.
func (*CreateSequence) Tag() string { return "CREATE SEQUENCE" }

// Tag implements Utility.
func (*CreateStatistics) Tag() string { return "CREATE STATISTICS" }

// Tag implements Utility.
func (*AlterStatistics) Tag() string { return "ALTER STATISTICS" }

// Tag implements Utility.
func (*AlterSequence) Tag() string { return "ALTER SEQUENCE" }

// Tag implements Utility.
func (*CreateEnum) Tag() string { return "CREATE TYPE" }

// Tag implements Utility.
func (*AlterEnum) Tag() string { return "ALTER TYPE" }

// Tag implements Utility.
func (*CreateComposite) Tag() string { return "CREATE TYPE" }

// Tag implements Utility.
func (*CreateDomain) Tag() string { return "CREATE DOMAIN" }

// Tag implements Utility.
func (*AlterDomain) Tag() string { return "ALTER DOMAIN" }

// Tag implements Utility.
func (a *AlterFunction) Tag() string { return "ALTER " + strings.ToUpper(string(a.Kind)) }

// Tag implements Utility.
func (*Truncate) Tag() string { return "TRUNCATE TABLE" }

// Tag implements Utility.
func (*CommentOn) Tag() string { return "COMMENT" }

// Tag implements Utility.
func (*CreateRole) Tag() string { return "CREATE ROLE" }

// Tag implements Utility.
func (*AlterRole) Tag() string { return "ALTER ROLE" }

// Tag implements Utility.
func (*CreateDatabase) Tag() string { return "CREATE DATABASE" }

// Tag implements Utility.
func (*AlterDatabase) Tag() string { return "ALTER DATABASE" }

// Tag implements Utility.
func (*CreateExtension) Tag() string { return "CREATE EXTENSION" }

// Tag implements Utility.
func (*Show) Tag() string { return "SHOW" }

// Tag implements Utility.
func (*Explain) Tag() string { return "EXPLAIN" }

// Tag implements Utility.
func (*Prepare) Tag() string { return "PREPARE" }

// Tag implements Utility.
func (*Execute) Tag() string { return "EXECUTE" }

// Tag implements Utility.
func (*DeclareCursor) Tag() string { return "DECLARE CURSOR" }

// Tag implements Utility.
func (*Copy) Tag() string { return "COPY" }

// Tag implements Utility.
func (*LockTable) Tag() string { return "LOCK TABLE" }

// Tag implements Utility.
func (*SetConstraints) Tag() string { return "SET CONSTRAINTS" }

// Tag implements Utility.
func (*Notify) Tag() string { return "NOTIFY" }

// Tag implements Utility.
func (*Listen) Tag() string { return "LISTEN" }

// Tag implements Utility.
func (*Unlisten) Tag() string { return "UNLISTEN" }

// Tag implements Utility.
func (*Checkpoint) Tag() string { return "CHECKPOINT" }

// Tag implements Utility.
func (*Reindex) Tag() string { return "REINDEX" }

// Tag implements Utility.
func (*Cluster) Tag() string { return "CLUSTER" }

// Tag implements Utility.
func (*CallProcedure) Tag() string { return "CALL" }

// Tag implements Utility.
func (*ReassignOwned) Tag() string { return "REASSIGN OWNED" }

// Tag implements Utility.
func (*DropOwned) Tag() string { return "DROP OWNED" }

// Tag implements Utility.
func (*DefaultPrivileges) Tag() string { return "ALTER DEFAULT PRIVILEGES" }

// Tag implements Utility.
func (*UpdateStatistics) Tag() string { return "UPDATE" }

// Tag implements Utility.
func (c *CreateTableAs) Tag() string {
	switch {
	case c.Materialized:
		return "CREATE MATERIALIZED VIEW"
	case c.SelectInto:
		return "SELECT INTO"
	}
	return "CREATE TABLE AS"
}

// Tag implements Utility.
func (c *CreateFunction) Tag() string {
	if c.Procedure {
		return "CREATE PROCEDURE"
	}
	return "CREATE FUNCTION"
}

// Tag implements Utility.
func (*CreateAggregate) Tag() string { return "CREATE AGGREGATE" }

// Tag implements Utility.
func (d *Drop) Tag() string { return "DROP " + strings.ToUpper(string(d.Kind)) }

// Tag implements Utility.
func (a *AlterTable) Tag() string { return "ALTER " + strings.ToUpper(string(a.Kind)) }

// Tag implements Utility. Renaming a part of a table alters the table.
func (r *Rename) Tag() string {
	switch {
	case r.Of != "":
		return "ALTER " + strings.ToUpper(string(r.Of))
	case r.Kind == "column" || r.Kind == "constraint":
		return "ALTER TABLE"
	case r.Kind == "domain constraint":
		return "ALTER DOMAIN"
	}
	return "ALTER " + strings.ToUpper(string(r.Kind))
}

// Tag implements Utility.
func (s *SetSchema) Tag() string { return "ALTER " + strings.ToUpper(string(s.Kind)) }

// Tag implements Utility.
func (s *SetOwner) Tag() string { return "ALTER " + strings.ToUpper(string(s.Kind)) }

// Tag implements Utility.
func (g *Grant) Tag() string {
	if g.Revoke {
		return "REVOKE"
	}
	return "GRANT"
}

// Tag implements Utility.
func (g *GrantRole) Tag() string {
	if g.Revoke {
		return "REVOKE ROLE"
	}
	return "GRANT ROLE"
}

// Tag implements Utility.
func (t *Transaction) Tag() string {
	switch t.Kind {
	case "begin":
		if t.Start {
			return "START TRANSACTION"
		}
		return "BEGIN"
	case "rollback to":
		return "ROLLBACK"
	case "prepare":
		return "PREPARE TRANSACTION"
	}
	return strings.ToUpper(t.Kind)
}

// Tag implements Utility.
func (s *Set) Tag() string {
	switch {
	case s.System:
		return "ALTER SYSTEM"
	case s.Reset:
		return "RESET"
	}
	return "SET"
}

// Tag implements Utility.
func (d *Deallocate) Tag() string {
	if d.Name == "" {
		return "DEALLOCATE ALL"
	}
	return "DEALLOCATE"
}

// Tag implements Utility. The executor appends the number of rows.
func (f *Fetch) Tag() string {
	if f.Move {
		return "MOVE"
	}
	return "FETCH"
}

// Tag implements Utility.
func (c *CloseCursor) Tag() string {
	if c.Name == "" {
		return "CLOSE CURSOR ALL"
	}
	return "CLOSE CURSOR"
}

// Tag implements Utility.
func (v *Vacuum) Tag() string {
	if v.Analyze {
		return "ANALYZE"
	}
	return "VACUUM"
}

// Tag implements Utility.
func (d *Discard) Tag() string { return "DISCARD " + strings.ToUpper(d.What) }
