package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type execConfig struct {
	ConnectConfig
	Statement   string              `json:"statement" title:"Statement" description:"One statement. Values come as arguments: ? in MySQL and SQLite, $1 in PostgreSQL; references in the text are refused." required:"true" min_length:"1" max_length:"262144" multiline:"true" widget:"code" script:"true" example:"DELETE FROM sessions WHERE ended < $1"`
	Args        []json.RawMessage   `json:"args" title:"Arguments" description:"The values, in the order of their places; lists and objects go as JSON." max_items:"1000" widget:"json" example:"[\"2026-01-01\"]"`
	Batch       [][]json.RawMessage `json:"batch" title:"Batch" description:"Lists of arguments, for each of which the statement runs once; instead of arguments." max_items:"10000" widget:"json"`
	Transaction bool                `json:"transaction" title:"Transaction" description:"Run in one transaction. Off for statements that no transaction may hold, such as CREATE DATABASE." default:"true"`
}

type execOutput struct {
	RowsAffected int64 `json:"rows_affected" title:"Rows" description:"How many rows were changed, together."`
	LastInsertID int64 `json:"last_insert_id" title:"Last id" description:"The id of the row that was last inserted, in MySQL and SQLite; else 0."`
	Runs         int   `json:"runs" title:"Runs" description:"How often the statement ran."`
}

type executor struct{}

// runs are the arguments of each run.
func (c execConfig) runs() ([][]any, error) {
	if len(c.Batch) == 0 {
		args, err := bind("/args", c.Args)
		return [][]any{args}, err
	}
	if len(c.Args) > 0 {
		return nil, pluginsdk.Invalid("/batch", "give either arguments or a batch")
	}
	var runs [][]any
	for i, list := range c.Batch {
		args, err := bind(fmt.Sprintf("/batch/%d", i), list)
		if err != nil {
			return nil, err
		}
		runs = append(runs, args)
	}
	return runs, nil
}

// Plan shows the statement; no connection is made.
func (executor) Plan(_ context.Context, _ *pluginsdk.Step, config execConfig) ([]pluginsdk.PlannedEffect, error) {
	runs, err := config.runs()
	if err != nil {
		return nil, err
	}
	target := config.Connection
	switch {
	case target != "":
	case config.Driver == driverSQLite:
		target = config.File
	default:
		target = "the " + config.Driver + " database"
	}
	statement := strings.Join(strings.Fields(config.Statement), " ")
	if len(statement) > 200 {
		statement = strings.ToValidUTF8(statement[:200], "") + "…"
	}
	return []pluginsdk.PlannedEffect{{Action: "run", Target: target, Summary: fmt.Sprintf("run %d times: %s", len(runs), statement), Known: true}}, nil
}

// querying is a connection or a transaction.
type querying interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// Execute runs the statement.
func (executor) Execute(ctx context.Context, step *pluginsdk.Step, config execConfig) (output execOutput, err error) {
	runs, err := config.runs()
	if err != nil {
		return output, err
	}
	ctx, cancel := deadline(ctx, config.Timeout)
	defer cancel()
	db, err := config.open(ctx, step, false)
	if err != nil {
		return output, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if err := checkSingle(db.driver, config.Statement); err != nil {
		return output, err
	}
	if !config.Transaction {
		return output, output.run(ctx, db, db.driver, config.Statement, runs)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return output, failed(ctx, "begin a transaction", err)
	}
	if err := output.run(ctx, tx, db.driver, config.Statement, runs); err != nil {
		// The failure is what counts; the database takes back what is not kept.
		_ = tx.Rollback()
		return execOutput{}, err
	}
	if err := tx.Commit(); err != nil {
		// Another attempt could do it a second time.
		return execOutput{}, pluginsdk.Permanent(fmt.Errorf("keep the changes: %w; look into the database whether they were kept", err)).WithCode("COMMIT_FAILED")
	}
	step.Log.Info("ran the statement", "runs", output.Runs, "rows", output.RowsAffected)
	return output, nil
}

func (o *execOutput) run(ctx context.Context, target querying, kind, statement string, runs [][]any) error {
	execute := func(args []any) (sql.Result, error) { return target.ExecContext(ctx, statement, args...) }
	if kind == driverPostgres {
		// Without arguments the driver would send several statements at once.
		prepared, err := target.PrepareContext(ctx, statement)
		if err != nil {
			return failed(ctx, "run the statement", err)
		}
		defer func() { _ = prepared.Close() }()
		execute = func(args []any) (sql.Result, error) { return prepared.ExecContext(ctx, args...) }
	}
	for i, args := range runs {
		result, err := execute(args)
		if err != nil {
			return failed(ctx, fmt.Sprintf("run the statement (run %d of %d)", i+1, len(runs)), err)
		}
		o.Runs++
		// Not every database knows both; what is not known is 0.
		if rows, err := result.RowsAffected(); err == nil {
			o.RowsAffected += rows
		}
		if id, err := result.LastInsertId(); err == nil {
			o.LastInsertID = id
		}
	}
	return nil
}
