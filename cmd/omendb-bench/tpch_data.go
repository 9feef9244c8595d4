package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// The tables of TPC-H, generated like dbgen generates them, with the same
// distributions and key formulas but not the same random numbers: equal seeds
// give equal rows.
const tpchSchema = `
CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL, n_comment varchar(152));
CREATE TABLE part (p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL,
	p_type varchar(25) NOT NULL, p_size int NOT NULL, p_container char(10) NOT NULL, p_retailprice numeric(15,2) NOT NULL, p_comment varchar(23) NOT NULL);
CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey int NOT NULL,
	s_phone char(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL, s_comment varchar(101) NOT NULL);
CREATE TABLE partsupp (ps_partkey int NOT NULL, ps_suppkey int NOT NULL, ps_availqty int NOT NULL, ps_supplycost numeric(15,2) NOT NULL,
	ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey int NOT NULL,
	c_phone char(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL, c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
CREATE TABLE orders (o_orderkey bigint PRIMARY KEY, o_custkey int NOT NULL, o_orderstatus char(1) NOT NULL, o_totalprice numeric(15,2) NOT NULL,
	o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL, o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
CREATE TABLE lineitem (l_orderkey bigint NOT NULL, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int NOT NULL,
	l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
	l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
	l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber));`

// tpchIndexes are made after the load, on both servers: on the foreign keys, as PostgreSQL needs them.
const tpchIndexes = `
CREATE INDEX ON lineitem (l_partkey, l_suppkey);
CREATE INDEX ON orders (o_custkey);
CREATE INDEX ON partsupp (ps_suppkey);
CREATE INDEX ON customer (c_nationkey);
CREATE INDEX ON supplier (s_nationkey);`

var (
	tpchRegions = strings.Fields("AFRICA AMERICA ASIA EUROPE MIDDLE_EAST")
	tpchNations = strings.Fields("ALGERIA:0 ARGENTINA:1 BRAZIL:1 CANADA:1 EGYPT:4 ETHIOPIA:0 FRANCE:3 GERMANY:3 INDIA:2 INDONESIA:2 IRAN:4 IRAQ:4 JAPAN:2 " +
		"JORDAN:4 KENYA:0 MOROCCO:0 MOZAMBIQUE:0 PERU:1 CHINA:2 ROMANIA:3 SAUDI_ARABIA:4 VIETNAM:2 RUSSIA:3 UNITED_KINGDOM:3 UNITED_STATES:1")
	tpchColors = strings.Fields("almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon chocolate " +
		"coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ghost goldenrod green grey honeydew hot " +
		"indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon medium metallic midnight mint misty moccasin navajo navy olive orange " +
		"orchid pale papaya peach peru pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring " +
		"steel tan thistle tomato turquoise violet wheat white yellow")
	tpchTypes = [3][]string{strings.Fields("STANDARD SMALL MEDIUM LARGE ECONOMY PROMO"), strings.Fields("ANODIZED BURNISHED PLATED POLISHED BRUSHED"),
		strings.Fields("TIN NICKEL BRASS STEEL COPPER")}
	tpchContainers = [2][]string{strings.Fields("SM LG MED JUMBO WRAP"), strings.Fields("CASE BOX BAG JAR PKG PACK CAN DRUM")}
	tpchSegments   = strings.Fields("AUTOMOBILE BUILDING FURNITURE MACHINERY HOUSEHOLD")
	tpchPriorities = []string{"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"}
	tpchInstructs  = []string{"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"}
	tpchModes      = []string{"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"}
	tpchWords      = strings.Fields("furiously quickly slyly carefully blithely express regular special pending final ironic even bold silent unusual packages " +
		"requests accounts deposits foxes ideas theodolites pinto beans instructions dependencies excuses platelets asymptotes courts dolphins sleep wake are cajole haggle nag use boost affix detect integrate among above across after against along")
)

// tpch makes the rows of one scale.
type tpch struct {
	parts, suppliers, customers, orders int
	seed                                uint64
}

func newTPCH(scale float64, seed uint64) *tpch {
	n := func(base float64) int { return max(int(base*scale), 10) }
	return &tpch{parts: n(200_000), suppliers: n(10_000), customers: n(150_000), orders: n(1_500_000), seed: seed}
}

// tpchTables lists the tables in the order in which they are loaded.
var tpchTables = strings.Fields("region nation part supplier partsupp customer orders lineitem")

// write writes a table as COPY's text.
func (t *tpch) write(table string, out io.Writer) error {
	w := bufio.NewWriterSize(out, 1<<16)
	r := rand.New(rand.NewPCG(t.seed, 7))
	switch table {
	case "region":
		for i, n := range tpchRegions {
			fmt.Fprintf(w, "%d\t%s\t%s\n", i, spaced(n), tpchText(r, 8))
		}
	case "nation":
		for i, n := range tpchNations {
			name, region, _ := strings.Cut(n, ":")
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", i, spaced(name), region, tpchText(r, 8))
		}
	case "part":
		t.writeParts(w, r)
	case "supplier":
		t.writeSuppliers(w, r)
	case "partsupp":
		for p := 1; p <= t.parts; p++ {
			for i := range 4 {
				fmt.Fprintf(w, "%d\t%d\t%d\t%s\t%s\n", p, t.supplierOf(p, i), 1+r.IntN(9999), cents(r, 100, 100000), tpchText(r, 14))
			}
		}
	case "customer":
		for c := 1; c <= t.customers; c++ {
			n := r.IntN(25)
			fmt.Fprintf(w, "%d\tCustomer#%09d\t%s\t%d\t%s\t%s\t%s\t%s\n", c, c, address(r), n, phone(r, n), cents(r, -99999, 999999), pick(r, tpchSegments), tpchText(r, 9))
		}
	default:
		t.writeOrders(w, table == "lineitem")
	}
	return w.Flush()
}

func (t *tpch) writeParts(w *bufio.Writer, r *rand.Rand) {
	for p := 1; p <= t.parts; p++ {
		name := r.Perm(len(tpchColors))[:5]
		m := 1 + r.IntN(5)
		fmt.Fprintf(w, "%d\t%s %s %s %s %s\tManufacturer#%d\tBrand#%d%d\t%s %s %s\t%d\t%s %s\t%s\t%s\n", p,
			tpchColors[name[0]], tpchColors[name[1]], tpchColors[name[2]], tpchColors[name[3]], tpchColors[name[4]], m, m, 1+r.IntN(5),
			pick(r, tpchTypes[0]), pick(r, tpchTypes[1]), pick(r, tpchTypes[2]), 1+r.IntN(50), pick(r, tpchContainers[0]), pick(r, tpchContainers[1]),
			money(retailCents(p)), tpchText(r, 2))
	}
}

// writeSuppliers lets five of ten thousand have complaints and five recommendations, as query 16 looks for.
func (t *tpch) writeSuppliers(w *bufio.Writer, r *rand.Rand) {
	for s := 1; s <= t.suppliers; s++ {
		n, comment := r.IntN(25), tpchText(r, 8)
		switch s % 1000 {
		case 7:
			comment = "the Customer " + tpchText(r, 2) + " Complaints"
		case 13:
			comment = "the Customer " + tpchText(r, 2) + " Recommends"
		}
		fmt.Fprintf(w, "%d\tSupplier#%09d\t%s\t%d\t%s\t%s\t%s\n", s, s, address(r), n, phone(r, n), cents(r, -99999, 999999), comment)
	}
}

// supplierOf is the i-th supplier of a part, by dbgen's formula.
func (t *tpch) supplierOf(part, i int) int {
	s := t.suppliers
	return (part+i*(s/4+(part-1)/s))%s + 1
}

func retailCents(part int) int { return 90000 + part/10%20001 + 100*(part%1000) }

var (
	tpchStart   = time.Date(1992, 1, 1, 0, 0, 0, 0, time.UTC)
	tpchCurrent = time.Date(1995, 6, 17, 0, 0, 0, 0, time.UTC)
)

// lastOrderDay keeps every receipt within 1998.
const lastOrderDay = 2405

// writeOrders writes orders or their lines, from the same random numbers.
func (t *tpch) writeOrders(w *bufio.Writer, lines bool) {
	var buf strings.Builder
	for o := 1; o <= t.orders; o++ {
		r := rand.New(rand.NewPCG(t.seed+11, uint64(o)))
		key := (o-1)/8*32 + (o-1)%8 + 1
		cust := 1 + r.IntN(t.customers)
		for cust%3 == 0 { // a third of the customers never order
			cust = 1 + r.IntN(t.customers)
		}
		date := tpchStart.AddDate(0, 0, r.IntN(lastOrderDay))
		buf.Reset()
		total, count, open := 0, 1+r.IntN(7), 0
		for line := 1; line <= count; line++ {
			price, isOpen := t.line(&buf, r, key, line, date)
			total += price
			if isOpen {
				open++
			}
		}
		if lines {
			w.WriteString(buf.String())
			continue
		}
		status := "P"
		if open == 0 {
			status = "F"
		} else if open == count {
			status = "O"
		}
		comment := tpchText(r, 6)
		if r.IntN(100) == 0 {
			comment = "special " + tpchText(r, 2) + " requests"
		}
		fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%s\t%s\tClerk#%09d\t0\t%s\n", key, cust, status, money(total), date.Format(time.DateOnly), pick(r, tpchPriorities), 1+r.IntN(1000), comment)
	}
}

// line writes a line of an order and returns its price with tax and discount, and whether it is not shipped yet.
func (t *tpch) line(w *strings.Builder, r *rand.Rand, key, number int, ordered time.Time) (cents int, open bool) {
	part, quantity := 1+r.IntN(t.parts), 1+r.IntN(50)
	discount, tax := r.IntN(11), r.IntN(9)
	price := quantity * retailCents(part)
	ship := ordered.AddDate(0, 0, 1+r.IntN(121))
	commit := ordered.AddDate(0, 0, 30+r.IntN(61))
	receipt := ship.AddDate(0, 0, 1+r.IntN(30))
	flag, status := "N", "F"
	if !receipt.After(tpchCurrent) {
		flag = []string{"R", "A"}[r.IntN(2)]
	}
	if open = ship.After(tpchCurrent); open {
		status = "O"
	}
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d.00\t%s\t0.%02d\t0.%02d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", key, part, t.supplierOf(part, r.IntN(4)), number, quantity,
		money(price), discount, tax, flag, status, ship.Format(time.DateOnly), commit.Format(time.DateOnly), receipt.Format(time.DateOnly),
		pick(r, tpchInstructs), pick(r, tpchModes), tpchText(r, 3))
	return price * (100 - discount) / 100 * (100 + tax) / 100, open
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }

func money(cents int) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

func cents(r *rand.Rand, lower, upper int) string { return money(lower + r.IntN(upper-lower+1)) }

func phone(r *rand.Rand, nation int) string {
	return fmt.Sprintf("%d-%03d-%03d-%04d", nation+10, 100+r.IntN(900), 100+r.IntN(900), 1000+r.IntN(9000))
}

const addressLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,"

func address(r *rand.Rand) string {
	b := make([]byte, 10+r.IntN(30))
	for i := range b {
		b[i] = addressLetters[r.IntN(len(addressLetters))]
	}
	return string(b)
}

func tpchText(r *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(pick(r, tpchWords))
	}
	if b.Len() > 22 && n <= 3 { // the shortest comments
		return strings.TrimSpace(b.String()[:22])
	}
	return b.String()
}
