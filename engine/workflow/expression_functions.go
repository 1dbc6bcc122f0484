package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/vm/runtime"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// Bounds of one evaluation.
const (
	// maxText bounds a text that an expression makes or searches, in bytes.
	maxText = 64 << 10
	// maxTextTotal bounds all that it makes together.
	maxTextTotal = 512 << 10
	// maxWork bounds loops, in elements; one that looks at large values
	// counts for more.
	maxWork = 200_000
)

// evaluation is the budget of one Eval. expr's own budget counts neither
// strings nor the turns of a loop.
type evaluation struct {
	// loaded counts the bytes of JSON that the condition can see.
	loaded int
	built  int
	work   int
}

var (
	errTextTooLong = fmt.Errorf("it makes or searches a text of more than %d KiB", maxText>>10)
	errTooCostly   = errors.New("it costs too much; compute the value in a step, and refer to its output")
)

// functions returns what an expression may call besides expr's own. Each
// makes at most bounded values.
func (run *evaluation) functions() map[string]any {
	onText := func(change func(string) string) func(any) (string, error) {
		return func(value any) (string, error) {
			text, err := run.text(value)
			if err != nil {
				return "", err
			}
			return run.made(change(text))
		}
	}
	return map[string]any{
		"__add":     run.add,
		"__matches": run.matches,
		"__tick":    run.tick,
		"__charge":  run.charge,
		"string":    run.toText,
		"upper":     onText(strings.ToUpper),
		"lower":     onText(strings.ToLower),
		"trim":      onText(strings.TrimSpace),
		"split":     run.split,
		"replace":   run.replace,
		"repeat":    run.repeat,
		"join":      run.join,
		"uniq":      run.uniq,
		"toJSON":    run.toJSON,
		"fromJSON":  run.fromJSON,
	}
}

// tick counts one turn of a loop. A body that looks beyond its element
// counts for the size of what it may look at.
func (run *evaluation) tick(reachesOut bool) (bool, error) {
	run.work++
	if reachesOut {
		run.work += run.loaded >> 10
	}
	if run.work > maxWork {
		return false, errTooCostly
	}
	return true, nil
}

// charge counts a search in a value, and hands it on.
func (run *evaluation) charge(value any) (any, error) {
	switch value := value.(type) {
	case string:
		run.work += len(value) >> 10
	case []any:
		run.work += len(value) >> 4
	}
	if run.work > maxWork {
		return nil, errTooCostly
	}
	return value, nil
}

func (run *evaluation) text(value any) (string, error) {
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("text is due, but it is %s", showValue(value))
	}
	if len(text) > maxText {
		return "", errTextTooLong
	}
	return text, nil
}

// made counts a text that was made.
func (run *evaluation) made(text string) (string, error) {
	run.built += len(text)
	switch {
	case len(text) > maxText:
		return "", errTextTooLong
	case run.built > maxTextTotal:
		return "", errTooCostly
	}
	return text, nil
}

func (run *evaluation) add(left, right any) (result any, err error) {
	first, isText := left.(string)
	second, alsoText := right.(string)
	if isText && alsoText {
		if len(first)+len(second) > maxText {
			return nil, errTextTooLong
		}
		return run.made(first + second)
	}
	// expr's own addition knows all kinds of numbers, and panics on others.
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%s and %s can't be added", showValue(left), showValue(right))
		}
	}()
	return runtime.Add(left, right), nil
}

func (run *evaluation) matches(subject, pattern any) (bool, error) {
	if subject == nil || pattern == nil {
		return false, nil
	}
	text, err := run.text(subject)
	if err != nil {
		return false, err
	}
	form, err := run.text(pattern)
	if err != nil {
		return false, err
	}
	if len(form) > 1000 {
		return false, errors.New("the pattern after matches has more than 1000 characters")
	}
	run.work += 1 + (len(text)*(len(form)+8))>>7
	if run.work > maxWork {
		return false, errTooCostly
	}
	compiled, err := regexp.Compile(form)
	if err != nil {
		return false, fmt.Errorf("the pattern after matches is not a regular expression (RE2): %w", err)
	}
	return compiled.MatchString(text), nil
}

func (run *evaluation) toText(value any) (string, error) {
	switch value := value.(type) {
	case nil:
		return "", nil
	case string:
		return run.text(value)
	}
	return run.toJSON(value)
}

func (run *evaluation) toJSON(value any) (string, error) {
	if size(value, maxText) >= maxText {
		return "", errTextTooLong
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "", errors.New("the value can't be written as JSON")
	}
	return run.made(string(data))
}

// size estimates the JSON of a value from below, and stops at bound.
func size(value any, bound int) int {
	switch value := value.(type) {
	case string:
		return len(value)
	case []any:
		total := len(value)
		for _, item := range value {
			if total += size(item, bound-total); total >= bound {
				break
			}
		}
		return total
	case map[string]any:
		total := len(value)
		for key, item := range value {
			if total += len(key) + size(item, bound-total); total >= bound {
				break
			}
		}
		return total
	}
	if reflected := reflect.ValueOf(value); reflected.Kind() == reflect.Slice {
		return reflected.Len()
	}
	return 1
}

func (run *evaluation) fromJSON(value any) (any, error) {
	text, err := run.text(value)
	if err != nil {
		return nil, err
	}
	run.work += len(text) >> 6
	if run.work > maxWork {
		return nil, errTooCostly
	}
	return run.decode([]byte(text))
}

func (run *evaluation) split(value, separator any) ([]any, error) {
	text, err := run.text(value)
	if err != nil {
		return nil, err
	}
	between, err := run.text(separator)
	if err != nil {
		return nil, err
	}
	run.work += len(text) >> 4
	if run.work > maxWork {
		return nil, errTooCostly
	}
	parts := strings.Split(text, between)
	values := make([]any, len(parts))
	for i, part := range parts {
		values[i] = part
	}
	return values, nil
}

func (run *evaluation) replace(value, old, by any) (string, error) {
	var texts [3]string
	for i, argument := range []any{value, old, by} {
		text, err := run.text(argument)
		if err != nil {
			return "", err
		}
		texts[i] = text
	}
	count := strings.Count(texts[0], texts[1])
	if len(texts[0])+count*(len(texts[2])-len(texts[1])) > maxText {
		return "", errTextTooLong
	}
	return run.made(strings.ReplaceAll(texts[0], texts[1], texts[2]))
}

func (run *evaluation) repeat(value, count any) (string, error) {
	text, err := run.text(value)
	if err != nil {
		return "", err
	}
	times, ok := count.(int)
	if !ok || times < 0 {
		return "", fmt.Errorf("repeat needs a number of times from 0 up, but it is %s", showValue(count))
	}
	if len(text) > 0 && times > maxText/len(text) {
		return "", errTextTooLong
	}
	return run.made(strings.Repeat(text, min(times, maxText)))
}

func (run *evaluation) join(values any, separator ...any) (string, error) {
	between := ""
	if len(separator) > 0 {
		text, err := run.text(separator[0])
		if err != nil {
			return "", err
		}
		between = text
	}
	list := reflect.ValueOf(values)
	if list.Kind() != reflect.Slice {
		return "", fmt.Errorf("join needs a list, but it is %s", showValue(values))
	}
	var joined strings.Builder
	for i := range list.Len() {
		if i > 0 {
			joined.WriteString(between)
		}
		text, err := run.toText(list.Index(i).Interface())
		if err != nil {
			return "", err
		}
		if joined.Len()+len(text) > maxText {
			return "", errTextTooLong
		}
		joined.WriteString(text)
	}
	return run.made(joined.String())
}

// uniq drops repeated items. expr's own compares each with each.
func (run *evaluation) uniq(values any) ([]any, error) {
	list := reflect.ValueOf(values)
	if list.Kind() != reflect.Slice {
		return nil, fmt.Errorf("uniq needs a list, but it is %s", showValue(values))
	}
	run.work += list.Len()
	if run.work > maxWork {
		return nil, errTooCostly
	}
	seen := make(map[string]bool, list.Len())
	var kept []any
	for i := range list.Len() {
		item := list.Index(i).Interface()
		data, err := json.Marshal(item)
		if err != nil {
			return nil, errors.New("uniq needs a list of JSON values")
		}
		if !seen[string(data)] {
			seen[string(data)] = true
			kept = append(kept, item)
		}
	}
	return slices.Clip(kept), nil
}

// exprValue makes expr's values of a tree.
func exprValue(n *tree.Node) any {
	switch n.Kind {
	case tree.Bool:
		return n.Text == "true"
	case tree.Number:
		if whole, err := strconv.Atoi(n.Text); err == nil {
			return whole
		}
		number, err := strconv.ParseFloat(n.Text, 64)
		if err != nil {
			return math.NaN()
		}
		return number
	case tree.String:
		return n.Text
	case tree.Array:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = exprValue(item)
		}
		return items
	case tree.Object:
		values := make(map[string]any, len(n.Members))
		for i := range n.Members {
			values[n.Members[i].Key] = exprValue(n.Members[i].Value)
		}
		return values
	}
	return nil
}
