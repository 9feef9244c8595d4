# A session of DBD::Pg. perl session.pl URI
use strict; use warnings;
use DBI; use DBD::Pg qw(:pg_types);
$| = 1;
my ($user, $password, $host, $port, $db) = $ARGV[0] =~ m{^postgres(?:ql)?://([^:@]+)(?::([^@]*))?@([^:/]+):(\d+)/([^?]+)} or die "usage: session.pl URI";
my $dsn = "dbi:Pg:dbname=$db;host=$host;port=$port";
my @options = ($user, $password // '', {RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_enable_utf8 => 0});
my $h = DBI->connect($dsn, @options);
print "VERSION $DBD::Pg::VERSION\n";

sub show {
	my $v = shift;
	return 'undef' unless defined $v;
	return '[' . join(', ', map { show($_) } @$v) . ']' if ref $v eq 'ARRAY';
	return '{' . join(', ', map { "$_ => " . show($v->{$_}) } sort keys %$v) . '}' if ref $v eq 'HASH';
	$v =~ s/\n/\\n/g; $v =~ s/([\x00-\x1f])/sprintf('\\x%02x', ord $1)/ge;
	return $v;
}
sub check {
	my ($name, $fn) = @_;
	my @v = eval { $fn->() };
	my $failed = $@;
	eval { $h->rollback } unless $h->{AutoCommit};
	if ($failed) { my $e = show("$failed"); $e =~ s/ at \S+ line \d+\.?.*$//; print "FAIL $name: $e\n" } else { print "PASS $name = ", show(\@v), "\n" }
}
sub all { return $h->selectall_arrayref(@_) }
sub fails { my $sql = shift; eval { $h->do($sql, undef, @_) }; die "no error\n" unless $@; return ($h->state, map { $h->pg_error_field($_) } qw(severity primary detail hint schema table column datatype constraint statement_position)) }

for my $k (qw(b i2 i4 i8 f4 f8 n nu t vc c by d tm tmz ts tsz iv u j jb ia ta na m p ad mn bt vb o nm)) {
	check("type $k", sub { all("SELECT $k FROM kinds WHERE id < 3 ORDER BY id") });
	check("extreme of $k", sub { all("SELECT $k\::text FROM kinds WHERE id = 3") });
	check("column of $k", sub { my $s = $h->prepare("SELECT $k FROM kinds WHERE id = ?"); $s->execute(1); map { $s->{$_}[0] } qw(NAME TYPE PRECISION SCALE NULLABLE) });
}
for ([syntax => 'SELEC 1'], [table => 'SELECT * FROM nowhere'], [unique => "INSERT INTO customer (name, email) VALUES ('x', 'ada\@example.com')"], [null => 'INSERT INTO customer (id, name) VALUES (99, NULL)'],
	['foreign key' => 'INSERT INTO purchase (customer_id) VALUES (999)'], [check => 'UPDATE customer SET balance = -1 WHERE id = 1'], [domain => 'SELECT 0::positive'], [division => 'SELECT 1/0']) {
	my ($name, $sql) = @$_;
	check("error $name", sub { fails($sql) });
}
check('placeholders', sub { all('SELECT ?::int, ?::text', undef, 5, "a'b") });
check('named placeholders', sub { my $s = $h->prepare('SELECT :a::int + :b::int'); $s->bind_param(':a', 1); $s->bind_param(':b', 2); $s->execute; $s->fetchall_arrayref });
check('dollar placeholders', sub { my $s = $h->prepare('SELECT $2::text, $1::text'); $s->execute('a', 'b'); $s->fetchall_arrayref });
check('bytea', sub { my $s = $h->prepare('SELECT ?::bytea'); $s->bind_param(1, "\x00\xff'", {pg_type => PG_BYTEA}); $s->execute; unpack('H*', ($s->fetchrow_array)[0]) });
check('arrays', sub { all('SELECT ?::int[], ?::text[]', undef, [1, 2], ['a', 'b"c', undef]) });
check('prepared and reused', sub { my $s = $h->prepare('SELECT name FROM customer WHERE id = ?', {pg_server_prepare => 1, pg_switch_prepared => 1}); map { $s->execute($_); $s->fetchall_arrayref } 1 .. 4 });
check('rows affected', sub { $h->do('CREATE TABLE pl (a int, b text)'); ($h->do("INSERT INTO pl SELECT g, 'x' FROM generate_series(1, 7) g"), $h->do('UPDATE pl SET b = ? WHERE a > ?', undef, 'y', 3), $h->do('DELETE FROM pl WHERE a = 100')) });
check('last insert id', sub { $h->do("INSERT INTO customer (name) VALUES ('P')"); $h->last_insert_id(undef, 'public', 'customer', undef) });
check('transaction', sub { $h->begin_work; $h->do('DELETE FROM pl'); $h->rollback; all('SELECT count(*) FROM pl') });
check('savepoint', sub { $h->begin_work; $h->pg_savepoint('s'); eval { $h->do('SELECT 1/0') }; $h->pg_rollback_to('s'); $h->pg_release('s'); my $r = all('SELECT 1'); $h->commit; $r });
check('failed transaction', sub { $h->begin_work; eval { $h->do('SELECT 1/0') }; my @e = fails('SELECT 1'); my $p = $h->ping; $h->rollback; (@e, $p) });
check('copy in', sub { $h->do('COPY pl FROM STDIN'); $h->pg_putcopydata("$_\tv$_\n") for 100 .. 199; $h->pg_putcopyend; all('SELECT count(*) FROM pl') });
check('copy out', sub { $h->do('COPY (SELECT id, name FROM customer WHERE id < 4 ORDER BY id) TO STDOUT'); my ($l, @l) = (''); push @l, $l while $h->pg_getcopydata($l) >= 0; @l });
check('copy that fails', sub { $h->do('COPY pl FROM STDIN'); $h->pg_putcopydata("x\ty\n"); eval { $h->pg_putcopyend }; my $s = $h->state; ($s, all('SELECT 1')) });
check('notify', sub { $h->do('LISTEN ch'); $h->do("NOTIFY ch, 'p'"); my $n = $h->pg_notifies; ($n->[0], $n->[2]) });
check('cursor', sub { $h->begin_work; $h->do('DECLARE c CURSOR FOR SELECT generate_series(1, 10)'); my @r = (all('FETCH 3 FROM c'), $h->do('MOVE 2 FROM c')); $h->rollback; @r });
check('asynchronous', sub { my $s = $h->prepare('SELECT pg_sleep(0.2), 5', {pg_async => 1}); $s->execute; 1 until $h->pg_ready; $h->pg_result; $s->fetchall_arrayref });
check('cancel', sub { my $s = $h->prepare('SELECT pg_sleep(20)', {pg_async => 1}); $s->execute; select(undef, undef, undef, 0.3); $h->pg_cancel; ($h->state, all('SELECT 1')) });
check('ping and version', sub { ($h->ping, int($h->{pg_server_version} / 10000)) });
check('quote', sub { ($h->quote("a'b\\c"), $h->quote_identifier('we"ird'), $h->quote("\x00\x01", {pg_type => PG_BYTEA})) });
sub info { my ($s, @keep) = @_; return [map { my $r = $_; [map { $r->{$_} } @keep] } @{$s->fetchall_arrayref({})}] }
check('table_info', sub { info($h->table_info(undef, 'public', '%', undef), qw(TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS)) });
for my $t (qw(customer purchase kinds)) { check("column_info of $t", sub { info($h->column_info(undef, 'public', $t, '%'), qw(COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE DECIMAL_DIGITS NULLABLE REMARKS COLUMN_DEF ORDINAL_POSITION pg_type pg_constraint)) }) }
check('primary_key_info', sub { info($h->primary_key_info(undef, 'public', 'customer'), qw(COLUMN_NAME KEY_SEQ PK_NAME)) });
check('foreign_key_info', sub { info($h->foreign_key_info(undef, 'public', 'customer', undef, undef, undef), qw(UK_COLUMN_NAME FK_TABLE_NAME FK_COLUMN_NAME FK_NAME DELETE_RULE)) });
check('statistics_info', sub { info($h->statistics_info(undef, 'public', 'purchase', 0, 0), qw(NON_UNIQUE INDEX_NAME TYPE COLUMN_NAME pg_expression)) });
check('type_info', sub { my $t = $h->type_info_all; scalar @$t });
check('tables', sub { [sort $h->tables(undef, 'public', '%', 'TABLE')] });
check('large value', sub { all('SELECT length(?)', undef, 'x' x 2000000) });
