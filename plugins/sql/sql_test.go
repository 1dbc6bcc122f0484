package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestMain(m *testing.M) { handlertest.Main(m, sqlPlugin()) }

func TestThePluginIsWhatTheContractSays(t *testing.T) {
	handlertest.CheckDescription(t, map[string]handlertest.Abilities{
		"sql.query": {Effect: pluginsdk.EffectPure}, "sql.exec": {Effect: pluginsdk.EffectUnsafe, Plan: true},
	})
}

// bench is a database to try both handlers on.
type bench struct {
	dir    string
	config map[string]any
	// first and second are the places of arguments, kinds the column types.
	first, second string
	adapter       map[string]any
}

func (b *bench) call(handler string, config map[string]any) *handlertest.Call {
	all := map[string]any{}
	for _, part := range []map[string]any{b.config, config} {
		for name, value := range part {
			all[name] = value
		}
	}
	return &handlertest.Call{Handler: "sql." + handler, Dir: b.dir, Config: all, Adapter: b.adapter}
}

func (b *bench) exec(t *testing.T, statement string, args ...any) execOutput {
	t.Helper()
	var output execOutput
	b.call("exec", map[string]any{"statement": statement, "args": args}).Succeed(t, &output)
	return output
}

func (b *bench) query(t *testing.T, statement string, args ...any) queryOutput {
	t.Helper()
	var output queryOutput
	b.call("query", map[string]any{"statement": statement, "args": args}).Succeed(t, &output)
	return output
}

// testDatabase is what every database must do.
func testDatabase(t *testing.T, b *bench, kinds string) {
	t.Helper()
	b.exec(t, "CREATE TABLE people (name "+kinds+", age BIGINT, at TIMESTAMP NULL)")
	hostile := `'; DROP TABLE people; --`
	insert := "INSERT INTO people (name, age) VALUES (" + b.first + ", " + b.second + ")"
	if got := b.exec(t, insert, hostile, 36); got.RowsAffected != 1 || got.Runs != 1 {
		t.Errorf("insert %+v", got)
	}
	rows := b.query(t, "SELECT name, age, at FROM people WHERE name = "+b.first, hostile)
	if rows.Count != 1 || rows.Rows[0]["name"] != hostile || rows.Rows[0]["age"] != 36.0 || rows.Rows[0]["at"] != nil || len(rows.Columns) != 3 || rows.Columns[1].Name != "age" {
		t.Errorf("rows %+v", rows)
	}
	// A batch is all or nothing.
	batch := b.call("exec", map[string]any{"statement": insert, "batch": []any{[]any{"Ada", 1}, []any{"Bo", 2}, []any{"Cy", "x9223372036854775808"}}})
	if outcome := batch.Execute(t); b.config["driver"] != driverSQLite && outcome.Kind != pluginsdk.OutcomeFailure {
		t.Errorf("a bad batch: %s %s", outcome.Kind, outcome.Output)
	}
	b.exec(t, "DELETE FROM people WHERE name <> "+b.first, hostile)
	batch.Config["batch"] = []any{[]any{"Ada", 1}, []any{"Bo", 9007199254740993}}
	var output execOutput
	batch.Succeed(t, &output)
	if output.Runs != 2 || output.RowsAffected != 2 {
		t.Errorf("batch %+v", output)
	}
	exact := b.call("query", map[string]any{"statement": "SELECT age FROM people WHERE name = 'Bo'"}).Succeed(t, nil)
	if !strings.Contains(string(exact.Output), "9007199254740993") {
		t.Errorf("a number lost digits: %s", exact.Output)
	}
	if cut := func() queryOutput {
		var output queryOutput
		b.call("query", map[string]any{"statement": "SELECT name FROM people", "max_rows": 2}).Succeed(t, &output)
		return output
	}(); cut.Count != 2 || !cut.Truncated {
		t.Errorf("cut %+v", cut)
	}
	// A query changes nothing.
	for _, statement := range []string{"DELETE FROM people", "DROP TABLE people", "INSERT INTO people (name) VALUES ('x')", "/*! DROP TABLE people */", "/* x */ -- y\n drop TABLE people"} {
		if outcome := b.call("query", map[string]any{"statement": statement}).Execute(t); outcome.Kind != pluginsdk.OutcomeFailure {
			t.Errorf("%s: %s", statement, outcome.Kind)
		}
	}
	// One statement at a time, for a query too.
	for _, handler := range []string{"query", "exec"} {
		failure := b.call(handler, map[string]any{"statement": "SELECT 1; DELETE FROM people"}).Fail(t, pluginsdk.FailurePermanent, "")
		if failure.Code != "STATEMENT_FAILED" {
			t.Errorf("two statements: %+v", failure)
		}
	}
	if rows := b.query(t, "SELECT name FROM people;"); rows.Count != 3 {
		t.Errorf("rows %+v", rows)
	}
	failure := b.call("exec", map[string]any{"statement": "SELEC 1"}).Fail(t, pluginsdk.FailurePermanent, "run the statement")
	if failure.Code != "STATEMENT_FAILED" || strings.Contains(failure.Message, "s3cret") {
		t.Errorf("failure %+v", failure)
	}
	if effects := b.call("exec", map[string]any{"statement": "DROP TABLE\n people"}).Plan(t); len(effects) != 1 || !strings.Contains(effects[0].Summary, "DROP TABLE people") {
		t.Errorf("plan %+v", effects)
	}
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := &bench{dir: dir, config: map[string]any{"driver": "sqlite", "file": "data.db"}, first: "?", second: "?"}
	b.call("query", map[string]any{"statement": "SELECT 1"}).Fail(t, pluginsdk.FailureInvalidInput, "can't be used")
	testDatabase(t, b, "TEXT")
	if outcome := b.call("query", map[string]any{"statement": "SELECT x'00ff' AS b, 1.5 AS f, 'a' AS f", "args": []any{}}).Succeed(t, nil); !strings.Contains(string(outcome.Output), `"b":"AP8=","f":1.5,"f_2":"a"`) {
		t.Errorf("got %s", outcome.Output)
	}
}

// TestSQLiteTakesOneStatement as the others do, whatever stands in texts,
// names, comments and triggers.
func TestSQLiteTakesOneStatement(t *testing.T) {
	t.Parallel()
	b := &bench{dir: t.TempDir(), config: map[string]any{"driver": "sqlite", "file": "x.db"}}
	b.exec(t, "CREATE TABLE x (y, z)")
	for _, one := range []string{
		"SELECT 1;", "SELECT 1 ;; -- end; of it\n /* ; */ ;", "SELECT ';', 'it''s; so', \";\", [;], `;` FROM (SELECT 1 AS \";\")", "-- a; b\nSELECT 1", "/* a; */ SELECT 1",
		"CREATE TRIGGER a AFTER INSERT ON x BEGIN UPDATE x SET z = CASE WHEN y THEN 1 END; DELETE FROM x WHERE y = 0; END",
		"create temp trigger b after insert on x begin select 1; end;", "EXPLAIN QUERY PLAN SELECT 1;",
	} {
		if outcome := b.call("exec", map[string]any{"statement": one}).Execute(t); outcome.Kind != pluginsdk.OutcomeSuccess {
			t.Errorf("%s: %s %+v", one, outcome.Kind, outcome.Failure)
		}
	}
	for _, two := range []string{
		"SELECT 1; DROP TABLE x", "SELECT 1;DROP TABLE x;", "/* ; */ SELECT ';' ; /* */ DROP TABLE x", "-- x\nSELECT 1;\n--\nDROP TABLE x", "; DROP TABLE x", "SELECT 1; 'x'",
		"CREATE TRIGGER c AFTER INSERT ON x BEGIN SELECT 1; END; DROP TABLE x", "EXPLAIN SELECT 1; DROP TABLE x", "CREATE TABLE trigger_of (a); DROP TABLE x",
	} {
		for _, transaction := range []bool{true, false} {
			b.call("exec", map[string]any{"statement": two, "transaction": transaction}).Fail(t, pluginsdk.FailurePermanent, "multiple commands")
		}
	}
	b.query(t, "SELECT y FROM x")
}

func TestSQLiteReachesNoOtherFile(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	b := &bench{dir: dir, config: map[string]any{"driver": "sqlite", "file": "a b?mode=memory.db"}}
	b.exec(t, "CREATE TABLE x (y)")
	if !handlertest.Exists(filepath.Join(dir, "a b?mode=memory.db")) {
		t.Error("the file's name was read as a setting")
	}
	target := filepath.Join(outside, "out.db")
	for _, statement := range []string{
		"ATTACH DATABASE '" + target + "' AS o", "VACUUM INTO '" + target + "'", "SELECT load_extension('" + target + "')", "SELECT writefile('" + target + "', 'x')",
	} {
		for _, transaction := range []bool{true, false} {
			outcome := b.call("exec", map[string]any{"statement": statement, "transaction": transaction}).Execute(t)
			if outcome.Kind != pluginsdk.OutcomeFailure || handlertest.Exists(target) {
				t.Errorf("%s: %s", statement, outcome.Kind)
			}
		}
	}
	for _, file := range []string{"../x.db", "/etc/x.db", ".git/x.db", "sub/", ""} {
		(&handlertest.Call{Handler: "sql.exec", Dir: dir, Config: map[string]any{"driver": "sqlite", "file": file, "statement": "SELECT 1"}}).Fail(t, pluginsdk.FailureInvalidInput, "")
	}
}

func TestAStatementIsEndedByItsTimeLimit(t *testing.T) {
	t.Parallel()
	b := &bench{dir: t.TempDir(), config: map[string]any{"driver": "sqlite", "file": "x.db", "timeout": "200ms"}}
	b.call("exec", map[string]any{"statement": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"}).Fail(t, pluginsdk.FailureTimeout, "too long")
}

func TestConnectionsAreNamedAndCheckedWithoutTellingThem(t *testing.T) {
	t.Parallel()
	adapter := map[string]any{"connections": map[string]any{"gone": map[string]any{"driver": "postgres", "dsn": "postgres://ada:s3cret@127.0.0.1:1/x"}}}
	b := &bench{config: map[string]any{}, adapter: adapter}
	for _, config := range []map[string]any{
		{"connection": "gone"},
		{"driver": "postgres", "dsn": "postgres://ada:s3cret@127.0.0.1:1/x"},
		{"driver": "mysql", "dsn": "ada:s3cret@tcp(127.0.0.1:1)/x"},
	} {
		config["statement"] = "SELECT 1"
		if failure := b.call("query", config).Fail(t, pluginsdk.FailureRetryable, "connect"); strings.Contains(failure.Message, "s3cret") {
			t.Errorf("the password is told: %s", failure.Message)
		}
	}
	for name, config := range map[string]map[string]any{
		"an unknown one": {"connection": "none"}, "none": {}, "both": {"connection": "gone", "dsn": "x"},
		"not a string of PostgreSQL": {"dsn": "postgres://ada:s3cret@%zz"}, "not a string of MySQL": {"driver": "mysql", "dsn": "ada:s3cret@x"},
	} {
		config["statement"] = "SELECT 1"
		if failure := b.call("query", config).Fail(t, pluginsdk.FailureInvalidInput, ""); strings.Contains(failure.Message, "s3cret") {
			t.Errorf("%s: the password is told: %s", name, failure.Message)
		}
	}
}
