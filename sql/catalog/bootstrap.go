package catalog

// The OIDs of objects that exist from the start, as in PostgreSQL 15.
const (
	PgCatalog         OID = 11
	PgToast           OID = 99
	Public            OID = 2200
	InformationSchema OID = 13207

	BootstrapSuperuser OID = 10
	PgDatabaseOwner    OID = 6171
	PgReadAllSettings  OID = 3374

	TemplateDatabase  OID = 1
	Template0Database OID = 4
	PostgresDatabase  OID = 5
)

// predefined are PostgreSQL's roles for parts of a superuser's rights.
var predefined = []struct {
	oid     OID
	name    string
	members []OID // roles that it is a member of
}{
	{PgDatabaseOwner, "pg_database_owner", nil},
	{6181, "pg_read_all_data", nil},
	{6182, "pg_write_all_data", nil},
	{3373, "pg_monitor", []OID{3374, 3375, 3377}},
	{3374, "pg_read_all_settings", nil},
	{3375, "pg_read_all_stats", nil},
	{3377, "pg_stat_scan_tables", nil},
	{4569, "pg_read_server_files", nil},
	{4570, "pg_write_server_files", nil},
	{4571, "pg_execute_server_program", nil},
	{4200, "pg_signal_backend", nil},
	{4544, "pg_checkpoint", nil},
}

// bootstrapShared returns the roles and databases of a fresh server. own is the OID of
// the database named after the superuser.
func bootstrapShared(o Options, own OID) []Object {
	objects := []Object{&Role{
		Meta:      Meta{OID: BootstrapSuperuser, Name: o.Superuser},
		Superuser: true, Inherit: true, CreateRole: true, CreateDB: true,
		Login: true, Replication: true, BypassRLS: true, ConnLimit: -1,
		Verifier: o.Verifier,
	}}
	for _, p := range predefined {
		r := &Role{Meta: Meta{OID: p.oid, Name: p.name}, Inherit: true, ConnLimit: -1}
		for _, m := range p.members {
			r.MemberOf = append(r.MemberOf, Membership{Role: m, Grantor: BootstrapSuperuser})
		}
		objects = append(objects, r)
	}
	closed := []ACLItem{
		{Grantee: 0, Grantor: BootstrapSuperuser, Privileges: ACLConnect},
		{Grantee: BootstrapSuperuser, Grantor: BootstrapSuperuser, Privileges: ACLAllDatabase},
	}
	database := func(oid OID, name string, comment string) *Database {
		return &Database{
			Meta:     Meta{OID: oid, Name: name, Owner: BootstrapSuperuser, Comment: comment},
			Encoding: "UTF8", Collate: "C", CType: "C", ConnLimit: -1, AllowConn: true,
		}
	}
	t1 := database(TemplateDatabase, "template1", "default template for new databases")
	t1.IsTemplate, t1.ACL = true, closed
	t0 := database(Template0Database, "template0", "unmodifiable empty database")
	t0.IsTemplate, t0.AllowConn, t0.ACL = true, false, closed
	objects = append(objects, t1, t0,
		database(PostgresDatabase, "postgres", "default administrative connection database"))
	if o.Superuser != "postgres" {
		objects = append(objects, database(own, o.Superuser, ""))
	}
	return objects
}

// bootstrapDatabase returns the schemas of a fresh database.
func bootstrapDatabase() []Object {
	schema := func(oid OID, name string, owner OID, comment string, public uint32) *Schema {
		s := &Schema{Meta{OID: oid, Name: name, Owner: owner, Comment: comment}}
		if public != 0 {
			s.ACL = []ACLItem{
				{Grantee: owner, Grantor: owner, Privileges: ACLAllSchema},
				{Grantee: 0, Grantor: owner, Privileges: public},
			}
		}
		return s
	}
	return []Object{
		schema(PgCatalog, "pg_catalog", BootstrapSuperuser, "system catalog schema", ACLUsage),
		schema(PgToast, "pg_toast", BootstrapSuperuser, "reserved schema for TOAST tables", 0),
		schema(Public, "public", PgDatabaseOwner, "standard public schema", ACLUsage),
		schema(InformationSchema, "information_schema", BootstrapSuperuser, "", ACLUsage),
	}
}
