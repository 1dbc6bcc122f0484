// Command vwmp-plugin-sql serves sql.query and sql.exec for PostgreSQL, MySQL
// (and MariaDB) and SQLite.
//
// Values reach a statement as bound arguments only: the host refuses
// references in a statement's text, and nothing here writes a value into one.
// It is neither a migration tool nor a connection pool.
package main

import (
	"encoding/json"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

const category = "Databases"

// adapterConfig is the plugin's own configuration.
type adapterConfig struct {
	Connections map[string]connectionConfig `json:"connections" title:"Connections" description:"Connections by name, which steps may use without knowing their credentials."`
}

type connectionConfig struct {
	Driver string `json:"driver" title:"Database" description:"Which kind of database: postgres, mysql or sqlite." enum:"postgres,mysql,sqlite"`
	DSN    string `json:"dsn" title:"Connection string" description:"The connection string." secret:"true"`
}

func sqlPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "sql",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Asks and changes PostgreSQL, MySQL and SQLite databases, with bound arguments only.",
		Adapter:     adapterConfig{},
		Handlers:    []*pluginsdk.Handler{queryHandler(), execHandler()},
	}
}

// example writes a handler's example config, whose values are constants of
// this package.
func example(config map[string]any) json.RawMessage {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return raw
}

func queryHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "sql.query", Name: "Query", Category: category, Icon: "database", Tags: []string{"sql", "select", "postgres", "mysql", "sqlite"},
		Description: "Reads rows from a database. It runs in a transaction that can only read.",
		Effect:      pluginsdk.EffectPure, Network: []string{"*"},
		DefaultRetry: &pluginsdk.Retry{MaxAttempts: 3, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 30 * time.Second, Jitter: 0.2},
		Example:      example(map[string]any{"driver": "sqlite", "file": "data/app.db", "statement": "SELECT name FROM people WHERE age >= ?", "args": []any{18}}),
	}, querier{})
}

func execHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "sql.exec", Name: "Execute", Category: category, Icon: "database-zap", Tags: []string{"sql", "insert", "update", "delete", "postgres", "mysql", "sqlite"},
		Description: "Changes a database with one statement, once or for each row of a batch, all or nothing.",
		Effect:      pluginsdk.EffectUnsafe, Network: []string{"*"},
		Example: example(map[string]any{"driver": "postgres", "dsn": "${secrets.DATABASE_URL}", "statement": "INSERT INTO people (name, age) VALUES ($1, $2)", "batch": []any{[]any{"Ada", 36}, []any{"Bo", 7}}}),
	}, executor{})
}
