package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// Bounds of an expression. They are judged before the text is compiled.
const (
	maxExpression        = 4 << 10
	maxExpressionNodes   = 500
	maxExpressionNesting = 32
	// maxElements bounds the list elements that one evaluation may make.
	maxElements = 100_000
)

// Expression is a compiled condition. It is immutable and safe for
// concurrent use.
type Expression struct {
	source  string
	program *vm.Program
	uses    *expressionUses
	// secret names the parameters whose values are never shown.
	secret map[string]bool
}

// ExpressionEnv gives the values that a condition sees.
type ExpressionEnv struct {
	// Config and Parameters are JSON objects.
	Config, Parameters json.RawMessage
	// Steps returns the status and output of a step; the output is nil
	// where it has none.
	Steps           func(id string) (status string, output json.RawMessage)
	ExecutionID     string
	StartedAt       time.Time
	WorkflowID      string
	WorkflowName    string
	WorkflowVersion string
}

// expressionError is a mistake in a condition, as a sentence.
type expressionError struct {
	code    string
	message string
}

// CompileExpression compiles a condition by itself, without a workflow
// around it. Problems have the given pointer.
func CompileExpression(source, pointer string) (*Expression, Problems) {
	expression, err := compileExpression(source)
	if err != nil {
		return nil, Problems{newProblem(pointer, "", err.code, "%s", err.message)}
	}
	return expression, nil
}

// String returns the condition as it is written.
func (e *Expression) String() string { return e.source }

// Steps returns the ids of the steps that the condition names, sorted.
func (e *Expression) Steps() []string {
	if e == nil {
		return nil
	}
	return slices.Clone(e.uses.steps)
}

func compileExpression(source string) (compiled *Expression, failure *expressionError) {
	if len(source) > maxExpression {
		return nil, &expressionError{"expression_too_large", fmt.Sprintf("The condition has %d bytes; at most %d are allowed. Compute the value in a step, and refer to its output.", len(source), maxExpression)}
	}
	if nesting(source) > maxExpressionNesting {
		return nil, &expressionError{"expression_too_large", fmt.Sprintf("The condition has brackets nested more than %d deep; make it flatter.", maxExpressionNesting)}
	}
	// The compiler is not ours: what it stumbles over is the text's fault.
	defer func() {
		if cause := recover(); cause != nil {
			compiled, failure = nil, &expressionError{"bad_expression", "The condition can't be compiled; write it more simply."}
		}
	}()
	program, err := expr.Compile(source, expressionOptions(nil)...)
	if err != nil {
		return nil, describeCompileError(err)
	}
	if root := program.Node().Type(); root == nil || root.Kind() != reflect.Bool && root.Kind() != reflect.Interface {
		return nil, &expressionError{"not_boolean", "A condition must be true or false, such as parameters.publish or parameters.count > 0; this one is something else. Compare it with a value."}
	}
	uses := collectUses(program.Node())
	if len(uses.problems) > 0 {
		return nil, &uses.problems[0]
	}
	if uses.costly {
		// A second pass puts the bounded functions in the place of operators
		// that cost memory or time; the first one has checked the types.
		program, err = expr.Compile(source, expressionOptions(&guardVisitor{})...)
		if err != nil {
			return nil, describeCompileError(err)
		}
	}
	return &Expression{source: source, program: program, uses: uses}, nil
}

// nesting returns how deep brackets are nested outside of strings.
func nesting(source string) int {
	depth, deepest := 0, 0
	var quote byte
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ')' || c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}

// removedBuiltins are expr's own functions that know the time, or that
// build values without a bound; some come back as ours.
var removedBuiltins = []string{
	"now", "date", "timezone", "duration", "toBase64", "fromBase64", "uniq",
	"string", "upper", "lower", "trim", "split", "splitAfter", "replace", "repeat", "join", "toJSON", "fromJSON",
}

func expressionOptions(guard ast.Visitor) []expr.Option {
	env := (&evaluation{}).functions()
	for _, root := range []string{"config", "parameters", "steps", "execution", "workflow"} {
		env[root] = map[string]any{}
	}
	options := make([]expr.Option, 0, len(removedBuiltins)+6)
	options = append(options, expr.Env(env), expr.Optimize(false), expr.MaxNodes(maxExpressionNodes))
	for _, name := range removedBuiltins {
		options = append(options, expr.DisableBuiltin(name))
	}
	if guard != nil {
		options = append(options, expr.Patch(guard))
	}
	return options
}

// describeCompileError makes a sentence of the compiler's finding.
func describeCompileError(err error) *expressionError {
	message, place := err.Error(), ""
	var positioned *file.Error
	if errors.As(err, &positioned) {
		message = positioned.Message
		place = fmt.Sprintf(" at character %d", positioned.From+1)
	}
	code, remedy := "bad_expression", "Correct the condition."
	switch {
	case strings.Contains(message, "maximum allowed nodes"):
		return &expressionError{"expression_too_large", fmt.Sprintf("The condition has more than %d parts; make it simpler.", maxExpressionNodes)}
	case strings.Contains(message, "unexpected token EOF"):
		message, remedy = "it ends too early", "Complete it; in YAML, put a condition that holds # or : in quotes."
	case strings.HasPrefix(message, "unknown name"):
		code = "unknown_name"
		remedy = `Values are written parameters.NAME, config.NAME or steps["ID"].output.KEY; text stands in quotes.`
	}
	if i := strings.IndexByte(message, '\n'); i >= 0 {
		message = message[:i]
	}
	return &expressionError{code, fmt.Sprintf("The condition doesn't compile%s: %s. %s", place, clip(strings.TrimSuffix(message, "."), 200), remedy)}
}

// Eval judges the condition. The detail is the condition with the values it
// saw, such as `parameters.publish == true (parameters.publish is false)`;
// it is set whatever the result.
func (e *Expression) Eval(env *ExpressionEnv) (result bool, detail string, err error) {
	run := &evaluation{}
	values := run.functions()
	if err := run.load(values, e, env); err != nil {
		return false, e.source, fmt.Errorf("condition %s: %w", clip(e.source, 200), err)
	}
	detail = e.detail(values)
	machine := vm.VM{MemoryBudget: maxElements}
	output, err := machine.Run(e.program, values)
	if err != nil {
		var positioned *file.Error
		if errors.As(err, &positioned) {
			err = errors.New(clip(positioned.Message, 300))
		}
		return false, detail, fmt.Errorf("condition %s: %w", clip(detail, 400), err)
	}
	result, ok := output.(bool)
	if !ok {
		return false, detail, fmt.Errorf("condition %s: it must be true or false, but is %s", clip(detail, 400), showValue(output))
	}
	return result, detail, nil
}

// detail writes the condition with the values it saw.
func (e *Expression) detail(values map[string]any) string {
	var seen []string
	for _, path := range e.uses.paths {
		if len(seen) == 8 {
			seen = append(seen, "…")
			break
		}
		text := "***"
		if path.segments[0].Key != "parameters" || len(path.segments) < 2 || !e.secret[path.segments[1].Key] {
			text = showValue(path.value(values))
		}
		seen = append(seen, path.text+" is "+text)
	}
	source := strings.Join(strings.Fields(e.source), " ")
	if len(seen) == 0 {
		return clip(source, 500)
	}
	return fmt.Sprintf("%s (%s)", clip(source, 500), strings.Join(seen, ", "))
}

// showValue writes a value as short JSON.
func showValue(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return string(tree.AppendString(nil, clip(value, 80)))
	case map[string]any:
		return fmt.Sprintf("a map of %d keys", len(value))
	case []any:
		return fmt.Sprintf("a list of %d items", len(value))
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "a value that is not JSON"
	}
	return clip(string(data), 80)
}

// load puts the values that the condition uses into the environment. Only
// these are decoded: an output may have megabytes.
func (run *evaluation) load(values map[string]any, e *Expression, env *ExpressionEnv) error {
	var err error
	if values["config"], err = run.decodeNames(env.Config, e.uses.config, e.uses.wholeConfig); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if values["parameters"], err = run.decodeNames(env.Parameters, e.uses.parameters, e.uses.wholeParameters); err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	steps := make(map[string]any, len(e.uses.steps))
	for _, id := range e.uses.steps {
		step := map[string]any{"status": "", "output": nil}
		if env.Steps != nil {
			status, output := env.Steps(id)
			step["status"] = status
			if slices.Contains(e.uses.outputs, id) && output != nil {
				if step["output"], err = run.decode(output); err != nil {
					return fmt.Errorf("output of step %q: %w", id, err)
				}
			}
		}
		steps[id] = step
	}
	values["steps"] = steps
	values["execution"] = map[string]any{"id": env.ExecutionID, "started_at": formatTime(env.StartedAt)}
	values["workflow"] = map[string]any{"id": env.WorkflowID, "name": env.WorkflowName, "version": env.WorkflowVersion}
	return nil
}

// decodeNames decodes an object, or only some of its members.
func (run *evaluation) decodeNames(data json.RawMessage, names []string, whole bool) (map[string]any, error) {
	values := make(map[string]any, len(names))
	var failure error
	rawjson.Members(data, func(key string, value []byte) bool {
		if whole || slices.Contains(names, key) {
			values[key], failure = run.decode(value)
		}
		return failure == nil
	})
	return values, failure
}

// decode makes expr's values of JSON: whole numbers are ints.
func (run *evaluation) decode(data []byte) (any, error) {
	run.loaded += len(data)
	node, issues := tree.ReadJSON(data, tree.Limits{Depth: 1000})
	if node == nil {
		return nil, errors.New("it is not valid JSON")
	}
	for _, issue := range issues {
		if issue.Code == "number_range" {
			return nil, errors.New("it holds a number that is too large")
		}
	}
	return exprValue(node), nil
}

// visiblePath is a value that a condition names, for its detail.
type visiblePath struct {
	text     string
	segments []rawjson.Segment
}

func (p *visiblePath) value(values map[string]any) any {
	var value any = values
	for _, segment := range p.segments {
		switch container := value.(type) {
		case map[string]any:
			value = container[segment.Key]
		case []any:
			if segment.Index < 0 || segment.Index >= len(container) {
				return nil
			}
			value = container[segment.Index]
		default:
			return nil
		}
	}
	return value
}

func plural(count int, one, many string) string {
	if count == 1 {
		return one
	}
	return many
}
