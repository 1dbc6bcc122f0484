package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

// ConnectConfig says which database, in the config of both handlers.
type ConnectConfig struct {
	Connection string             `json:"connection" title:"Connection" description:"The name of a connection in the plugin's configuration; instead of driver, address and file." example:"reports"`
	Driver     string             `json:"driver" title:"Database" description:"Which kind of database." enum:"postgres,mysql,sqlite" default:"postgres"`
	DSN        string             `json:"dsn" title:"Connection string" description:"The connection string, by a reference to a secret: postgres://user:password@host/name, or user:password@tcp(host:3306)/name for MySQL." secret:"true" example:"${secrets.DATABASE_URL}"`
	File       string             `json:"file" title:"File" description:"The database's file in the workspace, for SQLite." example:"data/app.db"`
	Timeout    pluginsdk.Duration `json:"timeout" title:"Timeout" description:"How long connecting and the statement may take together." default:"60s"`
}

const (
	driverPostgres = "postgres"
	driverMySQL    = "mysql"
	driverSQLite   = "sqlite"
)

// database is an open database and its kind.
type database struct {
	*sql.Conn
	pool   *sql.DB
	driver string
}

// close gives everything back.
func (d *database) close() error { return errors.Join(d.Conn.Close(), d.pool.Close()) }

// open connects. For a database that is only read, SQLite's file must be there
// and is not written to.
func (c ConnectConfig) open(ctx context.Context, step *pluginsdk.Step, isReadOnly bool) (*database, error) {
	kind, dsn := c.Driver, c.DSN
	if c.Connection != "" {
		var adapter adapterConfig
		if err := step.Adapter(&adapter); err != nil {
			return nil, err
		}
		named, ok := adapter.Connections[c.Connection]
		switch {
		case !ok:
			return nil, pluginsdk.Invalid("/connection", fmt.Sprintf("the plugin's configuration has no connection %q", c.Connection))
		case c.DSN != "" || c.File != "":
			return nil, pluginsdk.Invalid("/connection", "give either a connection's name, or an address or a file")
		}
		kind, dsn = named.Driver, named.DSN
	}
	connector, err := c.connector(step, kind, dsn, isReadOnly)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(1)
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(failed(ctx, "connect", err), pool.Close())
	}
	d := &database{conn, pool, kind}
	if kind == driverSQLite {
		// Neither ATTACH nor VACUUM INTO may reach another file.
		if _, err := sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_ATTACHED, 0); err != nil {
			return nil, errors.Join(fmt.Errorf("bound the database: %w", err), d.close())
		}
	}
	return d, nil
}

// connector knows how to connect; its errors don't have the connection string.
func (c ConnectConfig) connector(step *pluginsdk.Step, kind, dsn string, isReadOnly bool) (driver.Connector, error) {
	if kind == driverSQLite {
		return c.sqliteConnector(step, isReadOnly)
	}
	if dsn == "" {
		return nil, pluginsdk.Invalid("/dsn", "name the database: a connection string, by a reference to a secret")
	}
	if kind == driverMySQL {
		config, err := mysql.ParseDSN(dsn)
		if err != nil {
			return nil, pluginsdk.Invalid("/dsn", "the connection string can't be read; it is like user:password@tcp(host:3306)/name")
		}
		// Arguments are bound by the server, statements come one at a time, and
		// the server can't ask for files of ours.
		config.InterpolateParams, config.MultiStatements, config.AllowAllFiles = false, false, false
		config.ParseTime = true
		return mysql.NewConnector(config)
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, pluginsdk.Invalid("/dsn", "the connection string can't be read; it is like postgres://user:password@host:5432/name")
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	return stdlib.GetConnector(*config), nil
}

func (c ConnectConfig) sqliteConnector(step *pluginsdk.Step, isReadOnly bool) (driver.Connector, error) {
	if c.File == "" {
		return nil, pluginsdk.Invalid("/file", "name the database's file in the workspace")
	}
	if err := fileedit.CheckPath("/file", c.File); err != nil {
		return nil, err
	}
	info, err := step.Workspace.Stat(c.File)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isReadOnly:
	case err != nil:
		return nil, pluginsdk.Invalid("/file", fmt.Sprintf("the database %q can't be used: %v", c.File, err))
	case !info.Mode().IsRegular():
		return nil, pluginsdk.Invalid("/file", fmt.Sprintf("%q is not a file", c.File))
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(step.Workspace.Dir(), filepath.FromSlash(c.File)))}
	mode := "rwc"
	if isReadOnly {
		mode = "ro"
	}
	// The pragmas hold for this connection: it waits for others, and keeps the
	// schema from calling what could reach out.
	file.RawQuery = url.Values{"mode": {mode}, "_pragma": {"busy_timeout(5000)", "trusted_schema(0)"}}.Encode()
	return sqlite.NewConnector(file.String())
}

// failed tells what another attempt may not meet from the rest.
func failed(ctx context.Context, doing string, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return fmt.Errorf("%s: it took too long: %w", doing, context.DeadlineExceeded)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	var postgres *pgconn.PgError
	var my *mysql.MySQLError
	var lite *sqlite.Error
	var network net.Error
	isPassing := false
	switch {
	case errors.As(err, &postgres):
		// Connection exceptions, transaction rollbacks, no resources, shutdown.
		isPassing = strings.HasPrefix(postgres.Code, "08") || strings.HasPrefix(postgres.Code, "40") || strings.HasPrefix(postgres.Code, "53") || strings.HasPrefix(postgres.Code, "57P")
	case errors.As(err, &my):
		isPassing = my.Number == 1040 || my.Number == 1205 || my.Number == 1213
	case errors.As(err, &lite):
		isPassing = lite.Code()&0xff == sqlite3.SQLITE_BUSY || lite.Code()&0xff == sqlite3.SQLITE_LOCKED
	case errors.Is(err, driver.ErrBadConn), errors.As(err, &network), errors.Is(err, mysql.ErrInvalidConn), doing == "connect":
		isPassing = true
	}
	if isPassing {
		return pluginsdk.Retryable(wrapped).WithCode("DATABASE_BUSY")
	}
	return pluginsdk.Permanent(wrapped).WithCode("STATEMENT_FAILED")
}

// bind turns JSON values into what a driver binds: numbers keep their digits,
// lists and objects go as JSON.
func bind(pointer string, values []json.RawMessage) ([]any, error) {
	bound := make([]any, 0, len(values))
	for i, raw := range values {
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, pluginsdk.Invalid(fmt.Sprintf("%s/%d", pointer, i), fmt.Sprintf("the argument is not JSON: %v", err))
		}
		switch v := value.(type) {
		case json.Number:
			if n, err := v.Int64(); err == nil {
				bound = append(bound, n)
			} else if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
				bound = append(bound, f)
			} else {
				bound = append(bound, v.String())
			}
		case nil, string, bool:
			bound = append(bound, v)
		default:
			bound = append(bound, string(raw))
		}
	}
	return bound, nil
}

func deadline(ctx context.Context, timeout pluginsdk.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(timeout.Std(), time.Millisecond))
}
