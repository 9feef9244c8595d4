import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.net.URI;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** A session of pgjdbc: "PASS name = value" or "FAIL name: error" for each check. */
public class Session {
	interface Check { Object run() throws Exception; }

	static Connection c;

	static void check(String name, Check k) {
		try {
			System.out.println("PASS " + name + " = " + line(show(k.run())));
		} catch (Throwable e) {
			System.out.println("FAIL " + name + ": " + line(String.valueOf(e.getMessage())));
		}
	}

	static String line(String s) { return s.replace("\n", "\\n").replace("\r", "\\r"); }

	static String show(Object v) throws SQLException {
		if (v instanceof byte[]) return new java.math.BigInteger(1, (byte[]) v).toString(16);
		if (v instanceof java.sql.Array) return show(((java.sql.Array) v).getArray());
		if (v instanceof int[]) return Arrays.toString((int[]) v);
		if (v instanceof Object[]) { List<String> l = new ArrayList<>(); for (Object x : (Object[]) v) l.add(show(x)); return l.toString(); }
		if (v instanceof List) { List<String> l = new ArrayList<>(); for (Object x : (List<?>) v) l.add(show(x)); return l.toString(); }
		return String.valueOf(v);
	}

	static List<Object> rows(ResultSet r) throws SQLException {
		List<Object> out = new ArrayList<>();
		int n = r.getMetaData().getColumnCount();
		while (r.next()) { List<Object> row = new ArrayList<>(); for (int i = 1; i <= n; i++) row.add(r.getObject(i)); out.add(row); }
		return out;
	}

	/** Columns of metadata by name: some of them name object ids, which differ. */
	static List<Object> keep(ResultSet r, String... names) throws SQLException {
		List<Object> out = new ArrayList<>();
		while (r.next()) { List<Object> row = new ArrayList<>(); for (String n : names) row.add(r.getObject(n)); out.add(row); }
		return out;
	}

	static List<Object> q(String sql, Object... args) throws SQLException {
		try (PreparedStatement p = c.prepareStatement(sql)) {
			for (int i = 0; i < args.length; i++) p.setObject(i + 1, args[i]);
			try (ResultSet r = p.executeQuery()) { return rows(r); }
		}
	}

	static Object fails(Check k) throws Exception {
		try { k.run(); } catch (PSQLException e) {
			ServerErrorMessage m = e.getServerErrorMessage();
			if (m == null) return Arrays.asList(e.getSQLState(), e.getMessage());
			return Arrays.asList(m.getSeverity(), m.getSQLState(), m.getMessage(), m.getDetail(), m.getHint(), m.getPosition(), m.getSchema(), m.getTable(), m.getColumn(), m.getDatatype(), m.getConstraint());
		}
		throw new Exception("no error");
	}

	static Connection open(String uri, String... properties) throws Exception {
		URI u = URI.create(uri);
		Properties p = new Properties();
		String[] who = u.getUserInfo().split(":");
		p.setProperty("user", who[0]);
		p.setProperty("password", who.length > 1 ? who[1] : "");
		for (int i = 0; i < properties.length; i += 2) p.setProperty(properties[i], properties[i + 1]);
		return DriverManager.getConnection("jdbc:postgresql://" + u.getHost() + ":" + u.getPort() + u.getPath(), p);
	}

	public static void main(String[] args) throws Exception {
		c = open(args[0]);
		DatabaseMetaData m = c.getMetaData();
		System.out.println("VERSION " + m.getDriverVersion());
		types(args[0]);
		statements();
		transactions();
		metadata(m);
		others(args[0]);
	}

	static void types(String uri) throws Exception {
		Connection binary = open(uri, "prepareThreshold", "-1", "binaryTransfer", "true");
		for (String k : "b i2 i4 i8 f4 f8 n nu t vc c by d tm tmz ts tsz iv u j jb ia ta na m p ad mn bt vb o nm".split(" ")) {
			check("type " + k, () -> q("SELECT " + k + " FROM kinds WHERE id < 3 ORDER BY id"));
			check("binary " + k, () -> { try (PreparedStatement p = binary.prepareStatement("SELECT " + k + " FROM kinds WHERE id < ? ORDER BY id")) { p.setInt(1, 3); return rows(p.executeQuery()); } });
			check("extreme of " + k, () -> q("SELECT " + k + "::text FROM kinds WHERE id = 3"));
			check("column of " + k, () -> { try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT " + k + " FROM kinds")) { ResultSetMetaData d = r.getMetaData(); return Arrays.asList(d.getColumnName(1), d.getColumnTypeName(1), d.getColumnType(1), d.getPrecision(1), d.getScale(1), d.getColumnDisplaySize(1), d.isNullable(1), d.isAutoIncrement(1), d.getTableName(1), d.getColumnClassName(1), d.isSigned(1)); } });
		}
		binary.close();
		for (Object v : new Object[] {5, 1L << 40, 1.5, 2.5f, new BigDecimal("12.50"), "ü'\\", true, new byte[] {0, -1}, java.sql.Date.valueOf("2024-02-29"), Time.valueOf("01:02:03"), Timestamp.valueOf("2024-01-02 03:04:05.006"), UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), java.time.OffsetDateTime.parse("2024-01-02T03:04:05Z"), java.time.LocalDate.of(2024, 1, 2)})
			check("parameter " + v.getClass().getSimpleName(), () -> q("SELECT ?", v));
		check("array parameter", () -> q("SELECT ?::int[], ?::text[]", c.createArrayOf("int4", new Integer[] {1, null}), c.createArrayOf("text", new String[] {"a", "b\"c"})));
		check("null parameters", () -> { try (PreparedStatement p = c.prepareStatement("SELECT ?, ?")) { p.setNull(1, Types.INTEGER); p.setNull(2, Types.VARCHAR); return rows(p.executeQuery()); } });
	}

	static void statements() {
		String[][] faults = {{"syntax", "SELEC 1"}, {"table", "SELECT * FROM nowhere"}, {"unique", "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"}, {"null", "INSERT INTO customer (id, name) VALUES (99, NULL)"}, {"key", "INSERT INTO purchase (customer_id) VALUES (999)"}, {"check", "UPDATE customer SET balance = -1 WHERE id = 1"}, {"division", "SELECT 1/0"}, {"domain", "SELECT 0::positive"}};
		for (String[] f : faults) check("error " + f[0], () -> fails(() -> { try (Statement s = c.createStatement()) { return s.execute(f[1]); } }));
		check("server-prepared", () -> { List<Object> out = new ArrayList<>(); try (PreparedStatement p = c.prepareStatement("SELECT name FROM customer WHERE id = ?")) { for (int i = 1; i < 9; i++) { p.setInt(1, i % 3 + 1); out.add(rows(p.executeQuery())); } } return out; });
		check("parameter metadata", () -> { try (PreparedStatement p = c.prepareStatement("SELECT name FROM customer WHERE id = ? AND balance > ? AND email = ?")) { ParameterMetaData d = p.getParameterMetaData(); return Arrays.asList(d.getParameterCount(), d.getParameterTypeName(1), d.getParameterTypeName(2), d.getParameterTypeName(3)); } });
		check("update counts", () -> { try (Statement s = c.createStatement()) { return Arrays.asList(s.executeUpdate("CREATE TABLE jd (a int, b text)"), s.executeUpdate("INSERT INTO jd SELECT g, 'x' FROM generate_series(1, 7) g"), s.executeUpdate("UPDATE jd SET b = 'y' WHERE a > 3"), s.executeUpdate("DELETE FROM jd WHERE a = 100")); } });
		check("generated keys", () -> { try (PreparedStatement p = c.prepareStatement("INSERT INTO customer (name) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) { p.setString(1, "J"); p.executeUpdate(); ResultSet r = p.getGeneratedKeys(); r.next(); return r.getString("name") + r.getBigDecimal("balance"); } });
		check("batch", () -> { try (PreparedStatement p = c.prepareStatement("INSERT INTO jd VALUES (?, ?)")) { for (int i = 0; i < 300; i++) { p.setInt(1, 1000 + i); p.setString(2, "b" + i); p.addBatch(); } return p.executeBatch().length; } });
		check("batch that fails", () -> { try (Statement s = c.createStatement()) { s.addBatch("INSERT INTO jd VALUES (1, 'z')"); s.addBatch("INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"); s.executeBatch(); return "none"; } catch (BatchUpdateException e) { return Arrays.asList(e.getUpdateCounts(), e.getSQLState()); } });
		check("several results", () -> { List<Object> out = new ArrayList<>(); try (Statement s = c.createStatement()) { boolean r = s.execute("SELECT 1; UPDATE jd SET b = b WHERE a = 1; SELECT 2, 3"); while (r || s.getUpdateCount() >= 0) { out.add(r ? rows(s.getResultSet()) : (Object) s.getUpdateCount()); r = s.getMoreResults(); } } return out; });
		check("scrollable result", () -> { try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY); ResultSet r = s.executeQuery("SELECT generate_series(1, 10)")) { r.last(); int a = r.getInt(1); r.absolute(3); int b = r.getInt(1); r.previous(); return Arrays.asList(a, b, r.getInt(1)); } });
		check("updatable result", () -> { try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_SENSITIVE, ResultSet.CONCUR_UPDATABLE); ResultSet r = s.executeQuery("SELECT id, name FROM customer WHERE id = 2")) { r.next(); r.updateString("name", "Bobby"); r.updateRow(); return q("SELECT name FROM customer WHERE id = 2"); } });
		check("function call", () -> { try (CallableStatement s = c.prepareCall("{? = call upper(?)}")) { s.registerOutParameter(1, Types.VARCHAR); s.setString(2, "abc"); s.execute(); return s.getString(1); } });
		check("escapes", () -> q("SELECT {fn concat('a', 'b')}, {d '2024-01-02'}, {ts '2024-01-02 03:04:05'}, {fn ucase('x')}"));
		check("after ALTER TABLE", () -> { try (PreparedStatement p = c.prepareStatement("SELECT * FROM jd WHERE a = 1"); Statement s = c.createStatement()) { for (int i = 0; i < 7; i++) p.executeQuery(); s.execute("ALTER TABLE jd ADD c int DEFAULT 5"); return rows(p.executeQuery()); } });
		check("warnings", () -> { try (Statement s = c.createStatement()) { s.execute("DROP TABLE IF EXISTS nowhere"); return s.getWarnings().getMessage(); } });
		check("timeout", () -> { try (Statement s = c.createStatement()) { s.setQueryTimeout(1); return fails(() -> s.execute("SELECT pg_sleep(10)")); } });
		check("large value", () -> q("SELECT length(?)", "x".repeat(2000000)));
	}

	static void transactions() throws SQLException {
		c.setAutoCommit(false);
		check("rollback and savepoint", () -> { try (Statement s = c.createStatement()) { s.execute("INSERT INTO jd (a) VALUES (5000)"); Savepoint p = c.setSavepoint("p"); s.execute("DELETE FROM jd"); c.rollback(p); List<Object> n = q("SELECT count(*) FROM jd WHERE a = 5000"); c.rollback(); return Arrays.asList(n, q("SELECT count(*) FROM jd WHERE a = 5000")); } });
		c.rollback();
		check("failed transaction", () -> { Object a = fails(() -> q("SELECT 1/0")), b = fails(() -> q("SELECT 1")); c.rollback(); return Arrays.asList(a, b); });
		check("fetch size", () -> { try (PreparedStatement p = c.prepareStatement("SELECT generate_series(1, 1000)")) { p.setFetchSize(7); ResultSet r = p.executeQuery(); int n = 0; while (r.next()) n += r.getInt(1); return n; } finally { c.rollback(); } });
		check("refcursor", () -> { try (Statement s = c.createStatement()) { s.execute("DECLARE rc CURSOR FOR SELECT 1"); return rows(s.executeQuery("FETCH ALL FROM rc")); } finally { c.rollback(); } });
		c.setAutoCommit(true);
		for (int level : new int[] {1, 2, 4, 8}) check("isolation " + level, () -> { c.setTransactionIsolation(level); return Arrays.asList(c.getTransactionIsolation(), q("SHOW transaction_isolation")); });
		c.setTransactionIsolation(2);
		check("read only", () -> { c.setReadOnly(true); c.setAutoCommit(false); try { return fails(() -> { try (Statement s = c.createStatement()) { return s.execute("DELETE FROM jd"); } }); } finally { c.rollback(); c.setAutoCommit(true); c.setReadOnly(false); } });
	}

	static void metadata(DatabaseMetaData m) {
		check("tables", () -> keep(m.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}), "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS"));
		for (String t : new String[] {"customer", "purchase", "kinds", "rich"}) {
			check("columns of " + t, () -> keep(m.getColumns(null, "public", t, "%"), "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "COLUMN_SIZE", "DECIMAL_DIGITS", "NULLABLE", "REMARKS", "COLUMN_DEF", "ORDINAL_POSITION", "IS_NULLABLE", "IS_AUTOINCREMENT", "IS_GENERATEDCOLUMN"));
			check("primary keys of " + t, () -> keep(m.getPrimaryKeys(null, "public", t), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"));
			check("indexes of " + t, () -> keep(m.getIndexInfo(null, "public", t, false, false), "NON_UNIQUE", "INDEX_NAME", "TYPE", "ORDINAL_POSITION", "COLUMN_NAME", "ASC_OR_DESC", "FILTER_CONDITION"));
			check("imported keys of " + t, () -> keep(m.getImportedKeys(null, "public", t), "PKTABLE_NAME", "PKCOLUMN_NAME", "FKCOLUMN_NAME", "UPDATE_RULE", "DELETE_RULE", "FK_NAME", "PK_NAME", "DEFERRABILITY"));
			check("exported keys of " + t, () -> keep(m.getExportedKeys(null, "public", t), "FKTABLE_NAME", "FKCOLUMN_NAME", "FK_NAME"));
			check("best row of " + t, () -> keep(m.getBestRowIdentifier(null, "public", t, 2, false), "COLUMN_NAME", "TYPE_NAME"));
			check("privileges of " + t, () -> rows(m.getTablePrivileges(null, "public", t)).size());
		}
		check("schemas", () -> keep(m.getSchemas(), "TABLE_SCHEM"));
		check("table types", () -> rows(m.getTableTypes()));
		check("types", () -> rows(m.getTypeInfo()).size() > 50);
		check("user types", () -> keep(m.getUDTs(null, "public", "%", null), "TYPE_NAME", "DATA_TYPE"));
		check("functions", () -> rows(m.getFunctions(null, "pg_catalog", "upper")).size());
		check("function columns", () -> keep(m.getFunctionColumns(null, "pg_catalog", "lpad", "%"), "COLUMN_NAME", "COLUMN_TYPE", "TYPE_NAME"));
		check("procedures", () -> rows(m.getProcedures(null, "public", "%")).size());
		check("facts", () -> Arrays.asList(m.getDatabaseProductName(), m.getDatabaseMajorVersion(), m.getMaxColumnNameLength(), m.getMaxIndexLength() > 0, m.supportsSavepoints(), m.getSQLKeywords().length() > 100, m.getNumericFunctions(), m.getIdentifierQuoteString(), m.getDefaultTransactionIsolation()));
		check("client info", () -> { c.setClientInfo("ApplicationName", "checks"); return Arrays.asList(c.getClientInfo("ApplicationName"), q("SHOW application_name"), c.getSchema()); });
	}

	static void others(String uri) {
		check("copy in", () -> c.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY jd (a, b) FROM STDIN", new StringReader("7000\tx\n7001\t\\N\n")));
		check("copy out", () -> { StringWriter w = new StringWriter(); new CopyManager((org.postgresql.core.BaseConnection) c.unwrap(PGConnection.class)).copyOut("COPY (SELECT id, name FROM customer WHERE id < 4 ORDER BY id) TO STDOUT (FORMAT csv, HEADER)", w); return w.toString(); });
		check("copy that fails", () -> fails(() -> c.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY jd (a) FROM STDIN", new StringReader("x\n"))));
		check("notifications", () -> { try (Statement s = c.createStatement()) { s.execute("LISTEN ch"); s.execute("NOTIFY ch, 'p'"); return c.unwrap(PGConnection.class).getNotifications(2000)[0].getParameter(); } });
		check("cancel", () -> { try (Statement s = c.createStatement()) { new Timer(true).schedule(new TimerTask() { public void run() { try { s.cancel(); } catch (SQLException e) { } } }, 300); return fails(() -> s.execute("SELECT pg_sleep(20)")); } });
		check("valid", () -> c.isValid(2));
		check("simple query mode", () -> { try (Connection d = open(uri, "preferQueryMode", "simple"); PreparedStatement p = d.prepareStatement("SELECT ?::int, ?")) { p.setInt(1, 5); p.setString(2, "x"); return rows(p.executeQuery()); } });
		check("autosave", () -> { try (Connection d = open(uri, "autosave", "always"); Statement s = d.createStatement()) { d.setAutoCommit(false); try { s.execute("SELECT 1/0"); } catch (SQLException e) { } return rows(s.executeQuery("SELECT 1")); } });
		check("rewritten batch", () -> { try (Connection d = open(uri, "reWriteBatchedInserts", "true"); PreparedStatement p = d.prepareStatement("INSERT INTO jd (a) VALUES (?)")) { for (int i = 0; i < 100; i++) { p.setInt(1, i); p.addBatch(); } return p.executeBatch().length; } });
		check("current schema", () -> { try (Connection d = open(uri, "currentSchema", "pg_catalog", "options", "-c statement_timeout=5000")) { return Arrays.asList(d.getSchema(), rows(d.createStatement().executeQuery("SHOW statement_timeout"))); } });
		check("wrong database", () -> fails(() -> open(uri.replaceAll("/[^/]*$", "/nodb"))));
	}
}
