package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vwmp/vwmp/pluginsdk"
)

// maxBytes bounds the rows of an output, in bytes of JSON.
const maxBytes = 6 << 20

type queryConfig struct {
	ConnectConfig
	Statement string            `json:"statement" title:"Statement" description:"One statement that reads. Values come as arguments: ? in MySQL and SQLite, $1 in PostgreSQL; references in the text are refused." required:"true" min_length:"1" max_length:"262144" multiline:"true" widget:"code" script:"true" example:"SELECT name FROM people WHERE age >= $1"`
	Args      []json.RawMessage `json:"args" title:"Arguments" description:"The values, in the order of their places; lists and objects go as JSON." max_items:"1000" widget:"json" example:"[18]"`
	MaxRows   int               `json:"max_rows" title:"Maximum rows" description:"More rows are left out, and the output says so." default:"1000" minimum:"1" maximum:"100000"`
}

type column struct {
	Name string `json:"name" title:"Name" description:"The column's name."`
	Type string `json:"type" title:"Type" description:"The column's type, as the database calls it."`
}

type queryOutput struct {
	Rows      []map[string]any `json:"rows" title:"Rows" description:"The rows, as objects by column. Decimals are texts, bytes that are no text are base64."`
	Columns   []column         `json:"columns" title:"Columns" description:"The columns, in order."`
	Count     int              `json:"count" title:"Count" description:"How many rows there are in rows."`
	Truncated bool             `json:"truncated" title:"Truncated" description:"True if rows were left out."`
}

type querier struct{}

// Execute reads the rows.
func (querier) Execute(ctx context.Context, step *pluginsdk.Step, config queryConfig) (output queryOutput, err error) {
	output = queryOutput{Rows: []map[string]any{}, Columns: []column{}}
	args, err := bind("/args", config.Args)
	if err != nil {
		return output, err
	}
	if !mayRead(config.Statement) {
		return output, pluginsdk.Invalid("/statement", "a query begins with SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE, EXPLAIN or PRAGMA; sql.exec runs the rest")
	}
	ctx, cancel := deadline(ctx, config.Timeout)
	defer cancel()
	db, err := config.open(ctx, step, true)
	if err != nil {
		return output, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if err := checkSingle(db.driver, config.Statement); err != nil {
		return output, err
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: db.driver != driverSQLite})
	if err != nil {
		return output, failed(ctx, "begin to read", err)
	}
	// It changed nothing, so there is nothing to keep.
	defer func() { _ = tx.Rollback() }()
	rows, err := tx.QueryContext(ctx, config.Statement, args...)
	if err != nil {
		return output, failed(ctx, "run the statement", err)
	}
	err = output.read(rows, config.MaxRows)
	if err := errors.Join(err, rows.Close()); err != nil {
		return output, failed(ctx, "read the rows", err)
	}
	step.Log.Info("read rows", "rows", output.Count, "left_out", output.Truncated)
	return output, nil
}

// reading are the words that a statement which reads begins with.
var reading = []string{"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "PRAGMA"}

// mayRead looks at a statement's first word. MySQL keeps DDL from no
// transaction: it ends one that can only read, and goes on. A comment that
// MySQL would run is none of those words.
func mayRead(statement string) bool {
	for {
		statement = strings.TrimLeft(statement, " \t\r\n(")
		var found bool
		switch {
		case strings.HasPrefix(statement, "--"):
			_, statement, found = strings.Cut(statement, "\n")
		case strings.HasPrefix(statement, "/*") && !strings.HasPrefix(statement, "/*!") && !strings.HasPrefix(statement, "/*M!"):
			_, statement, found = strings.Cut(statement[2:], "*/")
		default:
			end := strings.IndexFunc(statement, func(r rune) bool { return r < 'A' || (r > 'Z' && r < 'a') || r > 'z' })
			if end < 0 {
				end = len(statement)
			}
			return slices.Contains(reading, strings.ToUpper(statement[:end]))
		}
		if !found {
			return false
		}
	}
}

func (o *queryOutput) read(rows *sql.Rows, limit int) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, t := range types {
		name := t.Name()
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s_%d", t.Name(), n)
		}
		seen[name] = true
		o.Columns = append(o.Columns, column{name, t.DatabaseTypeName()})
	}
	values, targets := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		targets[i] = &values[i]
	}
	for size := 0; rows.Next(); {
		if o.Count == limit || size > maxBytes {
			o.Truncated = true
			return nil
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		row := make(map[string]any, len(values))
		for i, value := range values {
			row[o.Columns[i].Name] = toJSON(value, o.Columns[i].Type)
		}
		raw, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if size += len(raw); size > maxBytes {
			o.Truncated = true
			return nil
		}
		o.Rows = append(o.Rows, row)
		o.Count++
	}
	return rows.Err()
}

// toJSON turns a value of a driver into one that JSON has.
func toJSON(value any, kind string) any {
	kind = strings.ToUpper(kind)
	switch v := value.(type) {
	case time.Time:
		if kind == "DATE" {
			return v.Format(time.DateOnly)
		}
		return v.Format(time.RFC3339Nano)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
		return v
	case float32:
		return toJSON(float64(v), kind)
	case []byte:
		if !utf8.Valid(v) || strings.Contains(kind, "BLOB") || strings.Contains(kind, "BINARY") || kind == "BYTEA" {
			return base64.StdEncoding.EncodeToString(v)
		}
		return textToJSON(string(v), kind)
	case string:
		if !utf8.ValidString(v) {
			return base64.StdEncoding.EncodeToString([]byte(v))
		}
		return textToJSON(v, kind)
	case nil, bool, int64, int32, int16, int8, int, uint64:
		return v
	}
	return fmt.Sprint(value)
}

// textToJSON reads what a driver gave as text and is none.
func textToJSON(text, kind string) any {
	isNumber := strings.Contains(kind, "INT") && !strings.Contains(kind, "INTERVAL") && !strings.Contains(kind, "POINT") || kind == "FLOAT" || kind == "DOUBLE" || kind == "YEAR"
	if (isNumber || kind == "JSON" || kind == "JSONB") && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}
