# A session of ruby-pg and of ActiveRecord. ruby session.rb pg|activerecord URI
require "pg"
require "stringio"
ENV["TZ"] = "UTC"
CLIENT, URI_ = ARGV
$stdout.sync = true

def check(name)
  value = yield
  puts "PASS #{name} = #{value.inspect.gsub("\n", "\\n").gsub(/0x\h+/, "0x")}"
rescue StandardError, NotImplementedError => e
  puts "FAIL #{name}: #{e.class} #{e.message.gsub("\n", "\\n")}"
end

KINDS = %w[b i2 i4 i8 f4 f8 n nu t vc c by d tm tmz ts tsz iv u j jb ia ta na m p ad mn bt vb o nm]
FAULTS = { syntax: "SELEC 1", table: "SELECT * FROM nowhere", unique: "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')", null: "INSERT INTO customer (id, name) VALUES (99, NULL)", key: "INSERT INTO purchase (customer_id) VALUES (999)", check: "UPDATE customer SET balance = -1 WHERE id = 1", division: "SELECT 1/0", length: "UPDATE customer SET name = repeat('x', 60)" }

def pg_session
  puts "VERSION #{PG::VERSION}"
  c = PG.connect(URI_)
  c.set_notice_processor { |_| }
  KINDS.each do |k|
    check("type #{k}") { c.exec("SELECT #{k} FROM kinds WHERE id < 3 ORDER BY id").values }
    check("binary #{k}") { c.exec_params("SELECT #{k} FROM kinds WHERE id <> 2 ORDER BY id", [], 1).values.map { |r| r.map { |v| v && v.unpack1("H*") } } } unless k == "ad"
  end
  c.type_map_for_results = PG::BasicTypeMapForResults.new(c)
  KINDS.each { |k| check("mapped #{k}") { c.exec("SELECT #{k} FROM kinds WHERE id < 3 ORDER BY id").values } unless %w[m ad bt vb mn].include?(k) }
  c.type_map_for_queries = PG::BasicTypeMapForQueries.new(c)
  check("mapped parameters") { c.exec_params("SELECT $1 + 1, $2::text, $3, $4::float8, $5", [5, "x", true, 1.5, [1, 2]]).values }
  FAULTS.each do |n, sql|
    check("error #{n}") { begin; c.exec(sql); rescue PG::Error => e; [e.class, *%i[PG_DIAG_SEVERITY PG_DIAG_SQLSTATE PG_DIAG_MESSAGE_PRIMARY PG_DIAG_MESSAGE_DETAIL PG_DIAG_SCHEMA_NAME PG_DIAG_TABLE_NAME PG_DIAG_COLUMN_NAME PG_DIAG_CONSTRAINT_NAME PG_DIAG_STATEMENT_POSITION].map { |f| e.result.error_field(PG.const_get(f)) }]; end }
  end
  check("prepared") { c.prepare("p", "SELECT name FROM customer WHERE id = $1"); [1, 2].map { |i| c.exec_prepared("p", [i]).values } + [c.describe_prepared("p").then { |d| [d.nparams, d.paramtype(0), d.fields, d.ftype(0)] }] }
  check("transaction") { c.transaction { |t| t.exec("CREATE TABLE rb (a int, b text)"); t.exec("INSERT INTO rb VALUES (1, 'x')").cmd_tuples } }
  check("rolled back") { begin; c.transaction { |t| t.exec("DELETE FROM rb"); raise "x"; }; rescue RuntimeError; end; c.exec("SELECT count(*) FROM rb").values }
  check("copy in") { c.copy_data("COPY rb FROM STDIN", PG::TextEncoder::CopyRow.new) { c.put_copy_data([2, "t\tb"]); c.put_copy_data([3, nil]) }; c.exec("SELECT * FROM rb ORDER BY a").values }
  check("copy out") { o = []; c.copy_data("COPY rb TO STDOUT") { while (r = c.get_copy_data); o << r; end }; o }
  check("copy fails") { begin; c.copy_data("COPY rb FROM STDIN") { c.put_copy_data("z\n") }; rescue PG::Error => e; [e.class, c.transaction_status]; end }
  check("notify") { c.exec("LISTEN ch"); c.exec("NOTIFY ch, 'p'"); c.wait_for_notify(5) { |ch, _, p| break [ch, p] } }
  check("single row mode") { c.send_query("SELECT generate_series(1, 5) g"); c.set_single_row_mode; n = 0; c.get_result.stream_each { |r| n += r["g"] }; c.get_result; n }
  check("cancel") { c.send_query("SELECT pg_sleep(20)"); sleep 0.3; c.cancel; begin; c.get_last_result; rescue PG::QueryCanceled => e; e.class; end }
  check("pipeline") { c.enter_pipeline_mode; c.send_query_params("SELECT 1", []); c.send_query_params("SELECT 1/0", []); c.send_query_params("SELECT 2", []); c.pipeline_sync; o = []; 7.times { r = c.get_result; o << (r && r.result_status) }; c.discard_results; c.exit_pipeline_mode; o }
  check("encodings") { [c.internal_encoding.to_s, c.parameter_status("client_encoding"), c.exec("SELECT 'ü'").getvalue(0, 0).encoding.to_s] }
  check("table and columns of fields") { r = c.exec("SELECT id, name, 1 FROM customer LIMIT 1"); [0, 1, 2].map { |i| [r.fname(i), r.ftablecol(i), r.fmod(i), r.fsize(i), r.ftype(i)] } }
end

def active_record_session
  require "active_record"
  puts "VERSION #{ActiveRecord.version}"
  ActiveRecord::Base.establish_connection(URI_)
  con = ActiveRecord::Base.connection
  ActiveRecord::Migration.verbose = false
  first = Class.new(ActiveRecord::Migration[6.1]) do
    def change
      create_table :makers do |t|
        t.string :name, limit: 40, null: false, index: { unique: true }
        t.jsonb :info, default: {}
        t.timestamps
      end
      create_table :cars, comment: "drive" do |t|
        t.references :maker, null: false, foreign_key: { on_delete: :cascade }
        t.text :title
        t.decimal :price, precision: 8, scale: 2, default: 1.5
        t.string :tags, array: true, default: []
        t.uuid :key, default: -> { "gen_random_uuid()" }
        t.date :built
        t.datetime :sold, precision: 6
        t.binary :photo
        t.boolean :live, default: true
        t.bigint :km
        t.float :ratio
        t.interval :age
        t.bit :flags, limit: 4
        t.index [:title, :price], order: { price: :desc }, where: "live"
        t.index "lower(title)", name: "cars_lower"
        t.check_constraint "price > 0", name: "cars_price"
      end
    end
  end
  second = Class.new(ActiveRecord::Migration[6.1]) do
    def change
      add_column :makers, :country, :string, default: "x", null: false
      rename_column :cars, :km, :kilometres
      change_column_comment :cars, :title, from: nil, to: "its name"
      reversible { |d| d.up { change_column :makers, :name, :text; change_column_null :makers, :country, true; change_column_default :makers, :country, from: "x", to: "y" } }
      create_join_table :cars, :owners
      add_index :makers, :country, name: "by_country"
      rename_index :makers, "by_country", "by_land"
    end
  end
  check("migrate") { first.migrate(:up) }
  check("migrate again") { second.migrate(:up) }
  check("tables") { [con.tables.sort, con.views.sort, con.data_sources.sort] }
  %w[makers cars customer purchase kinds].each do |t|
    check("columns of #{t}") { con.columns(t).map { |x| [x.name, x.sql_type, x.type, x.limit, x.precision, x.scale, x.null, x.default, x.default_function, x.comment, x.array] } }
    check("indexes of #{t}") { con.indexes(t).map { |i| [i.name, i.columns, i.unique, i.where, i.orders, i.comment] } }
    check("keys of #{t}") { [con.primary_keys(t), con.foreign_keys(t).map { |f| [f.name, f.column, f.to_table, f.on_delete] }, con.check_constraints(t).map { |x| [x.name, x.expression] }, con.pk_and_sequence_for(t)&.last.to_s] }
  end
  check("schema dump") { s = StringIO.new; ActiveRecord::SchemaDumper.dump(con, s); s.string }
  check("extensions, encoding, collation") { [con.extensions.is_a?(Array), con.encoding, con.current_schema, con.schema_names, con.supports_insert_on_conflict?, con.prepared_statements] }
  Object.const_set(:Maker, Class.new(ActiveRecord::Base) { has_many :cars })
  Object.const_set(:Car, Class.new(ActiveRecord::Base) { belongs_to :maker; scope :dear, -> { where("price > ?", 3) } })
  check("create") { m = Maker.create!(name: "M", info: { a: [1, nil] }); 10.times { |i| m.cars.create!(title: "c#{i}", price: i + 1, tags: ["a", 'b"'], built: Date.new(2024, 2, 29), sold: Time.utc(2024, 1, 2, 3, 4, 5), photo: "\x00\xff".b, kilometres: 2**40, ratio: 0.5, age: 3.days, flags: "1010") }; c = Car.first; [m.id, c.price, c.tags, c.key.size, c.built, c.sold, c.photo.unpack1("H*"), c.kilometres, c.age, c.flags, m.reload.info] }
  check("where") { Car.dear.where(title: %w[c4 c5], live: true).or(Car.where(price: 9..)).order(:id).pluck(:title, :price) }
  check("joins and includes") { Maker.joins(:cars).group(:name).having("count(*) > 1").count.to_a + [Maker.includes(:cars).first.cars.size] }
  check("calculations") { [Car.sum(:price), Car.average(:price), Car.maximum(:built), Car.distinct.count(:price)] }
  check("json and arrays") { [Maker.where("info -> 'a' @> '1'").count, Car.where("? = ANY (tags)", "a").count] }
  check("insert_all and upsert_all") { [Maker.insert_all([{ name: "M", created_at: Time.now, updated_at: Time.now }, { name: "N", created_at: Time.now, updated_at: Time.now }], unique_by: :name).rows.size, Maker.upsert_all([{ name: "N", country: "z", created_at: Time.now, updated_at: Time.now }], unique_by: :name).rows.size, Maker.find_by(name: "N").country] }
  check("update_all and delete_all") { [Car.where("id > 8").update_all("price = price * 2"), Car.where(id: 1).delete_all] }
  check("record not unique") { Maker.create!(name: "M") rescue [$!.class, $!.cause.class] }
  check("other errors") { [-> { Car.create!(maker_id: 999, title: "x") }, -> { con.execute("INSERT INTO cars (maker_id) VALUES (999)") }, -> { Maker.create!(name: nil) }, -> { Car.update_all(price: -1) }, -> { con.execute("SELEC") }].map { |f| begin; f.call; rescue StandardError => e; e.class; end } }
  check("transactions") { Car.transaction { Car.delete_all; Car.transaction(requires_new: true) { Maker.delete_all; raise ActiveRecord::Rollback }; raise ActiveRecord::Rollback }; [Car.count, Maker.count] }
  check("isolation") { Car.transaction(isolation: :serializable) { con.select_value("SHOW transaction_isolation") } }
  check("lock") { Car.transaction { Car.lock("FOR UPDATE SKIP LOCKED").limit(2).map(&:id) } }
  check("find_each") { n = 0; Car.find_each(batch_size: 3) { n += 1 }; n }
  check("advisory lock") { [con.get_advisory_lock(42), con.release_advisory_lock(42)] }
  check("explain") { Car.where(id: 1).explain.include?("EXPLAIN") }
  check("roll back") { second.migrate(:down); first.migrate(:down); con.tables.sort }
end

CLIENT == "pg" ? pg_session : active_record_session
