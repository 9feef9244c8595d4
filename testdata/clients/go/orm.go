package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	migratepg "github.com/golang-migrate/migrate/v4/database/postgres"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"testing/fstest"
)

type Writer struct {
	ID    uint
	Name  string `gorm:"size:40;uniqueIndex;not null"`
	Born  *time.Time
	Texts []Text `gorm:"constraint:OnDelete:CASCADE"`
}

type Text struct {
	gorm.Model
	WriterID uint           `gorm:"index"`
	Title    string         `gorm:"index:title_idx,expression:lower(title);check:title_set,title <> ''"`
	Score    float64        `gorm:"type:numeric(8,2);default:1.5"`
	Data     map[string]any `gorm:"serializer:json;type:jsonb"`
	Labels   []*Label       `gorm:"many2many:text_labels"`
	Live     bool           `gorm:"default:true;comment:is it out"`
	Raw      []byte
}

type Label struct {
	ID   uint
	Name string
}

func gormSession(uri string) error {
	version("gorm.io/gorm")
	db, err := gorm.Open(postgres.Open(uri), &gorm.Config{Logger: logger.Discard, TranslateError: true})
	if err != nil {
		return err
	}
	models := []any{&Writer{}, &Text{}, &Label{}}
	check("auto migration", func() (any, error) { return nil, db.AutoMigrate(models...) })
	check("auto migration again", func() (any, error) { return nil, db.AutoMigrate(models...) })
	check("create with associations", func() (any, error) {
		w := Writer{Name: "Ann"}
		for i := range 10 {
			w.Texts = append(w.Texts, Text{Title: string(rune('a' + i)), Data: map[string]any{"n": i}, Labels: []*Label{{Name: "l"}}, Raw: []byte{byte(i)}})
		}
		err := db.Create(&w).Error
		return []any{w.ID, w.Texts[9].ID, w.Texts[9].Score, w.Texts[9].Labels[0].ID}, err
	})
	check("preload", func() (any, error) {
		var w Writer
		err := db.Preload("Texts.Labels").First(&w, "name = ?", "Ann").Error
		return []any{len(w.Texts), len(w.Texts[0].Labels), w.Texts[3].Data, w.Texts[3].Raw}, err
	})
	check("joins and scopes", func() (any, error) {
		var out []struct {
			Name  string
			Count int64
			Total float64
		}
		err := db.Model(&Text{}).Select("writers.name, count(*), sum(score) AS total").Joins("JOIN writers ON writers.id = texts.writer_id").Group("writers.name").Having("count(*) > ?", 1).Scan(&out).Error
		return out, err
	})
	check("update and expressions", func() (any, error) {
		r := db.Model(&Text{}).Where("score < ?", 2).Updates(map[string]any{"score": gorm.Expr("score * ?", 2)})
		return r.RowsAffected, r.Error
	})
	check("upsert", func() (any, error) {
		w := Writer{Name: "Ann"}
		err := db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"born"})}, clause.Returning{}).Create(&w).Error
		return w.ID, err
	})
	check("duplicate key", func() (any, error) {
		err := db.Create(&Writer{Name: "Ann"}).Error
		return errors.Is(err, gorm.ErrDuplicatedKey), nil
	})
	check("soft delete", func() (any, error) {
		if err := db.Delete(&Text{}, 1).Error; err != nil {
			return nil, err
		}
		var a, b int64
		db.Model(&Text{}).Count(&a)
		err := db.Unscoped().Model(&Text{}).Count(&b).Error
		return []int64{a, b}, err
	})
	check("nested transaction", func() (any, error) {
		err := db.Transaction(func(tx *gorm.DB) error {
			tx.Create(&Label{Name: "outer"})
			_ = tx.Transaction(func(tx *gorm.DB) error { tx.Create(&Label{Name: "inner"}); return errors.New("no") })
			return nil
		})
		var n int64
		db.Model(&Label{}).Where("name IN ?", []string{"outer", "inner"}).Count(&n)
		return n, err
	})
	check("locking", func() (any, error) {
		var t []Text
		err := db.Transaction(func(tx *gorm.DB) error {
			return tx.Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).Limit(2).Find(&t).Error
		})
		return len(t), err
	})
	check("batches", func() (any, error) {
		ls := make([]Label, 500)
		err := db.CreateInBatches(&ls, 100).Error
		n := 0
		err2 := db.FindInBatches(&[]Label{}, 77, func(tx *gorm.DB, _ int) error { n++; return nil }).Error
		return []any{ls[499].ID, n}, errors.Join(err, err2)
	})
	m := db.Migrator()
	check("introspection", func() (any, error) {
		var out []any
		for _, t := range []any{"customer", "purchase", "kinds", &Text{}} {
			cols, err := m.ColumnTypes(t)
			if err != nil {
				return out, err
			}
			for _, c := range cols {
				l, _ := c.Length()
				p, s, _ := c.DecimalSize()
				null, _ := c.Nullable()
				pk, _ := c.PrimaryKey()
				u, _ := c.Unique()
				auto, _ := c.AutoIncrement()
				def, _ := c.DefaultValue()
				typ, _ := c.ColumnType()
				comment, _ := c.Comment()
				out = append(out, []any{c.Name(), c.DatabaseTypeName(), typ, l, p, s, null, pk, u, auto, def, comment})
			}
			slices.SortFunc(out, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			idx, err := m.GetIndexes(t)
			if err != nil {
				return out, err
			}
			out = append(out, len(idx))
		}
		return out, nil
	})
	check("migrator", func() (any, error) {
		type Text struct {
			ID    uint
			Title string `gorm:"size:99;not null;default:'t'"`
			Extra *int   `gorm:"uniqueIndex"`
		}
		err := db.AutoMigrate(&Text{})
		tables, err2 := m.GetTables()
		return []any{tables, m.HasColumn(&Text{}, "extra"), m.HasIndex(&Text{}, "idx_texts_extra"), m.HasConstraint("texts", "title_set"), m.CurrentDatabase() != ""}, errors.Join(err, err2, m.RenameColumn(&Text{}, "extra", "more"), m.DropColumn("texts", "more"))
	})
	check("drop", func() (any, error) { return nil, m.DropTable("text_labels", &Label{}, &Text{}, &Writer{}) })
	return nil
}

type Song struct {
	bun.BaseModel `bun:"table:songs"`
	ID            int64             `bun:",pk,autoincrement"`
	Name          string            `bun:",notnull,unique"`
	Meta          map[string]string `bun:"type:jsonb"`
	Tags          []string          `bun:",array"`
	Made          time.Time         `bun:",nullzero,default:'2024-01-01'"`
	BandID        *int64
	Band          *Band `bun:"rel:belongs-to,join:band_id=id"`
}

type Band struct {
	bun.BaseModel `bun:"table:bands"`
	ID            int64  `bun:",pk,identity"`
	Name          string `bun:",notnull"`
	Songs         []Song `bun:"rel:has-many,join:id=band_id"`
}

func bunSession(uri string) error {
	version("github.com/uptrace/bun")
	ctx := context.Background()
	db := bun.NewDB(sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(uri+"?sslmode=disable"))), pgdialect.New())
	defer db.Close()
	check("create tables", func() (any, error) {
		_, err := db.NewCreateTable().Model((*Band)(nil)).IfNotExists().Exec(ctx)
		_, err2 := db.NewCreateTable().Model((*Song)(nil)).ForeignKey(`("band_id") REFERENCES "bands" ("id") ON DELETE CASCADE`).Exec(ctx)
		_, err3 := db.NewCreateIndex().Model((*Song)(nil)).Index("songs_lower").ColumnExpr("lower(name)").Exec(ctx)
		return nil, errors.Join(err, err2, err3)
	})
	check("insert", func() (any, error) {
		b := &Band{Name: "b"}
		if _, err := db.NewInsert().Model(b).Exec(ctx); err != nil {
			return nil, err
		}
		songs := []Song{{Name: "x", Meta: map[string]string{"k": "v"}, Tags: []string{"a", `"q"`}, BandID: &b.ID}, {Name: "y", BandID: &b.ID}}
		_, err := db.NewInsert().Model(&songs).Returning("*").Exec(ctx)
		return []any{songs[1].ID, songs[1].Made.UTC(), songs[0].Tags, songs[0].Meta}, err
	})
	check("relations", func() (any, error) {
		var b Band
		err := db.NewSelect().Model(&b).Relation("Songs").Where("id = ?", 1).Scan(ctx)
		var s Song
		err2 := db.NewSelect().Model(&s).Relation("Band").Where("song.name = ?", "x").Scan(ctx)
		return []any{len(b.Songs), s.Band.Name, s.Meta["k"]}, errors.Join(err, err2)
	})
	check("upsert", func() (any, error) {
		s := &Song{Name: "x"}
		_, err := db.NewInsert().Model(s).On("CONFLICT (name) DO UPDATE").Set("tags = EXCLUDED.tags").Returning("id").Exec(ctx)
		return s.ID, err
	})
	check("bulk update", func() (any, error) {
		songs := []Song{{ID: 1, Name: "xx"}, {ID: 2, Name: "yy"}}
		r, err := db.NewUpdate().Model(&songs).Column("name").Bulk().Exec(ctx)
		if err != nil {
			return nil, err
		}
		return r.RowsAffected()
	})
	check("aggregate", func() (any, error) {
		var out []map[string]any
		err := db.NewSelect().Model((*Song)(nil)).ColumnExpr("band_id, count(*) AS n, array_agg(name ORDER BY name) AS names").Group("band_id").Scan(ctx, &out)
		return len(out), err
	})
	check("transaction", func() (any, error) {
		err := db.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable}, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Model((*Song)(nil)).Where("id = 1").Exec(ctx)
			return errors.Join(err, errors.New("back"))
		})
		n, err2 := db.NewSelect().Model((*Song)(nil)).Count(ctx)
		return []any{err.Error(), n}, err2
	})
	for _, f := range faults {
		check("error "+f[0], func() (any, error) {
			_, err := db.Exec(f[1])
			var e pgdriver.Error
			if errors.As(err, &e) {
				return []string{e.Field('C'), e.Field('M'), e.Field('n')}, nil
			}
			return err, nil
		})
	}
	for _, k := range kinds {
		check("type "+k, func() (any, error) { return rowsOf(db.DB, "SELECT "+k+" FROM kinds WHERE id < 3 ORDER BY id") })
	}
	check("listen", func() (any, error) {
		ln := pgdriver.NewListener(db)
		defer ln.Close()
		if err := ln.Listen(ctx, "bun"); err != nil {
			return nil, err
		}
		if err := pgdriver.Notify(ctx, db, "bun", "hello"); err != nil {
			return nil, err
		}
		_, payload, err := ln.ReceiveTimeout(ctx, 5*time.Second)
		return payload, err
	})
	return nil
}

// migrations serve both migration tools, whose file names differ.
var up, down = []string{
	"CREATE TABLE steps (id bigserial PRIMARY KEY, name text NOT NULL);\nCREATE INDEX steps_name ON steps (name);\nINSERT INTO steps (name) VALUES ('one');",
	"ALTER TABLE steps ADD COLUMN at timestamptz NOT NULL DEFAULT now(), ADD CONSTRAINT named CHECK (name <> '');\nCREATE VIEW step_names AS SELECT name FROM steps;",
	"CREATE TYPE level AS ENUM ('low', 'high');\nALTER TABLE steps ADD COLUMN level level DEFAULT 'low';\nUPDATE steps SET level = 'high';",
}, []string{"DROP TABLE steps;", "DROP VIEW step_names;\nALTER TABLE steps DROP CONSTRAINT named, DROP COLUMN at;", "ALTER TABLE steps DROP COLUMN level;\nDROP TYPE level;"}

func migrateSession(uri string) error {
	version("github.com/golang-migrate/migrate/v4")
	files := fstest.MapFS{}
	for i := range up {
		n := string(rune('1' + i))
		files[n+"_s.up.sql"], files[n+"_s.down.sql"] = &fstest.MapFile{Data: []byte(up[i])}, &fstest.MapFile{Data: []byte(down[i])}
	}
	for _, driver := range []string{"pgx", "postgres"} {
		db, err := sql.Open(driver, uri+map[string]string{"postgres": "?sslmode=disable"}[driver])
		if err != nil {
			return err
		}
		defer db.Close()
		var m *migrate.Migrate
		check(driver+" open", func() (any, error) {
			src, err := iofs.New(files, ".")
			if err != nil {
				return nil, err
			}
			if driver == "pgx" {
				d, err := migratepgx.WithInstance(db, &migratepgx.Config{MigrationsTable: "m_" + driver})
				if err != nil {
					return nil, err
				}
				m, err = migrate.NewWithInstance("iofs", src, "db", d)
				return nil, err
			}
			d, err := migratepg.WithInstance(db, &migratepg.Config{MigrationsTable: "m_" + driver})
			if err != nil {
				return nil, err
			}
			m, err = migrate.NewWithInstance("iofs", src, "db", d)
			return nil, err
		})
		for _, step := range []struct {
			name string
			run  func() error
		}{{"up", func() error { return m.Up() }}, {"down one", func() error { return m.Steps(-1) }}, {"migrate to 3", func() error { return m.Migrate(3) }}, {"force", func() error { return m.Force(3) }}, {"down", func() error { return m.Down() }}} {
			check(driver+" "+step.name, func() (any, error) {
				err := step.run()
				v, dirty, err2 := m.Version()
				if errors.Is(err2, migrate.ErrNilVersion) {
					err2 = nil
				}
				return []any{v, dirty}, errors.Join(err, err2)
			})
		}
		check(driver+" failing migration", func() (any, error) {
			files["4_bad.up.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE half (a int); SELECT 1/0;")}
			defer delete(files, "4_bad.up.sql")
			src, _ := iofs.New(files, ".")
			d, err := migratepgx.WithInstance(db, &migratepgx.Config{MigrationsTable: "m_" + driver})
			if err != nil {
				return nil, err
			}
			m, err := migrate.NewWithInstance("iofs", src, "db", d)
			if err != nil {
				return nil, err
			}
			err = m.Up()
			v, dirty, _ := m.Version()
			_ = m.Force(3)
			return []any{err != nil, v, dirty}, m.Down()
		})
		check(driver+" drop", func() (any, error) {
			if driver == "pgx" {
				return nil, nil
			}
			return nil, m.Drop()
		})
	}
	return nil
}

func gooseSession(uri string) error {
	version("github.com/pressly/goose/v3")
	ctx := context.Background()
	files := fstest.MapFS{}
	for i := range up {
		n := "0000" + string(rune('1'+i))
		files[n+"_s.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + up[i] + "\n-- +goose Down\n" + down[i] + "\n")}
	}
	files["00004_function.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS $$ SELECT a * 2; $$;\n-- +goose StatementEnd\n-- +goose Down\nDROP FUNCTION twice;\n")}
	files["00005_concurrent.sql"] = &fstest.MapFile{Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY steps_level ON steps (level);\n-- +goose Down\nDROP INDEX CONCURRENTLY steps_level;\n")}
	db, err := sql.Open("pgx", uri)
	if err != nil {
		return err
	}
	defer db.Close()
	goose.SetLogger(log.New(io.Discard, "", 0))
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return err
	}
	results := func(rs []*goose.MigrationResult, err error) (any, error) {
		var out []any
		for _, r := range rs {
			out = append(out, []any{r.Source.Version, r.Direction, r.Error})
		}
		return out, err
	}
	check("up", func() (any, error) { return results(p.Up(ctx)) })
	check("up again", func() (any, error) { return results(p.Up(ctx)) })
	check("state", func() (any, error) {
		v, err := p.GetDBVersion(ctx)
		if err != nil {
			return nil, err
		}
		st, err := p.Status(ctx)
		var out []any
		for _, s := range st {
			out = append(out, s.State)
		}
		return []any{v, out}, err
	})
	check("migrated", func() (any, error) { return rowsOf(db, "SELECT name, level, twice(4) FROM steps") })
	check("down one", func() (any, error) { r, err := p.Down(ctx); return results([]*goose.MigrationResult{r}, err) })
	check("down to 2", func() (any, error) { return results(p.DownTo(ctx, 2)) })
	check("up to 4", func() (any, error) { return results(p.UpTo(ctx, 4)) })
	check("down to zero", func() (any, error) { return results(p.DownTo(ctx, 0)) })
	check("tables left", func() (any, error) {
		return rowsOf(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
	})
	return nil
}
