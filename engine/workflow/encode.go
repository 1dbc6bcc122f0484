package workflow

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// object writes the members of a JSON object in the order of the calls.
type object struct {
	data []byte
}

func (o *object) key(key string) {
	if len(o.data) == 0 {
		o.data = append(o.data, '{')
	} else {
		o.data = append(o.data, ',')
	}
	o.data = tree.AppendString(o.data, key)
	o.data = append(o.data, ':')
}

func (o *object) text(key, value string) {
	o.key(key)
	o.data = tree.AppendString(o.data, value)
}

// optional writes a string that differs from its default.
func (o *object) optional(key, value, byDefault string) {
	if value != "" && value != byDefault {
		o.text(key, value)
	}
}

func (o *object) flag(key string, value bool) {
	o.key(key)
	o.data = strconv.AppendBool(o.data, value)
}

func (o *object) integer(key string, value int) {
	o.key(key)
	o.data = strconv.AppendInt(o.data, int64(value), 10)
}

func (o *object) float(key string, value float64) {
	o.key(key)
	o.data = append(o.data, formatFloat(value)...)
}

// duration writes whole seconds as a number, anything finer in Go's
// notation, which loses nothing.
func (o *object) duration(key string, value time.Duration) {
	o.key(key)
	if value%time.Second == 0 {
		o.data = strconv.AppendInt(o.data, int64(value/time.Second), 10)
		return
	}
	o.data = tree.AppendString(o.data, value.String())
}

func (o *object) raw(key string, value json.RawMessage) {
	if value != nil {
		o.key(key)
		o.data = append(o.data, value...)
	}
}

func (o *object) texts(key string, values []string) {
	if len(values) == 0 {
		return
	}
	list(o, key, values, tree.AppendString)
}

func list[T any](o *object, key string, values []T, write func([]byte, T) []byte) {
	if len(values) == 0 {
		return
	}
	o.key(key)
	o.data = append(o.data, '[')
	for i, value := range values {
		if i > 0 {
			o.data = append(o.data, ',')
		}
		o.data = write(o.data, value)
	}
	o.data = append(o.data, ']')
}

func (o *object) end() []byte {
	if len(o.data) == 0 {
		return []byte("{}")
	}
	return append(o.data, '}')
}

func formatFloat(value float64) string {
	data, err := json.Marshal(value)
	if err != nil {
		return "0"
	}
	return string(data)
}

// JSON returns the definition as a compact document, with the keys that are
// required or differ from their default, in the order of the language's
// tables. Config keeps its numbers and the order of its keys.
func (def *Definition) JSON() []byte {
	var o object
	o.text("name", def.Name)
	o.text("version", orDefault(def.Version, DefaultVersion))
	o.text("type", orDefault(def.Type, DefaultType))
	o.optional("description", def.Description, "")
	o.texts("tags", def.Tags)
	o.raw("config", def.Config)
	list(&o, "parameters", def.Parameters, appendParameter)
	o.key("steps")
	o.data = append(o.data, '[')
	for i := range def.Steps {
		if i > 0 {
			o.data = append(o.data, ',')
		}
		o.data = append(o.data, def.Steps[i].encode()...)
	}
	o.data = append(o.data, ']')
	if def.Timeout > 0 {
		o.duration("timeout", def.Timeout)
	}
	o.optional("on_failure", string(def.OnFailure), string(OnFailureStop))
	if def.Concurrency != nil {
		o.raw("concurrency", def.Concurrency.encode())
	}
	list(&o, "triggers", def.Triggers, appendTrigger)
	return o.end()
}

func orDefault(value, byDefault string) string {
	if value == "" {
		return byDefault
	}
	return value
}

// MarshalJSON writes the definition as JSON does. encoding/json compacts
// the result and checks it.
func (def *Definition) MarshalJSON() ([]byte, error) { return def.JSON(), nil }

// YAML returns the same document as YAML text.
func (def *Definition) YAML() ([]byte, error) {
	node, issues := tree.ReadJSON(def.JSON(), tree.Limits{})
	if node == nil || len(issues) > 0 {
		return nil, fmt.Errorf("write workflow %q as YAML: its config is not valid JSON", def.Name)
	}
	return node.AppendYAML(nil), nil
}

func (step *Step) encode() []byte {
	var o object
	o.text("id", step.ID)
	o.optional("name", step.Name, "")
	o.optional("type", step.Type, "")
	o.text("handler", step.Handler)
	o.optional("description", step.Description, "")
	o.raw("config", step.Config)
	if !step.Required {
		o.flag("required", false)
	}
	o.raw("enabled", step.Enabled)
	if step.Automatic {
		o.flag("automatic", true)
	}
	o.texts("dependencies", step.Dependencies)
	o.optional("when", step.When, "")
	o.optional("run_on", string(step.RunOn), string(RunOnSuccess))
	if step.Retry != nil {
		o.raw("retry", step.Retry.encode())
	}
	if step.Timeout > 0 {
		o.duration("timeout", step.Timeout)
	}
	o.optional("on_interrupt", string(step.OnInterrupt), string(OnInterruptAsk))
	o.raw("for_each", step.ForEach)
	if step.ForEach != nil && step.MaxParallel > 0 && step.MaxParallel != DefaultMaxParallel {
		o.integer("max_parallel", step.MaxParallel)
	}
	o.raw("ui", step.UI)
	return o.end()
}

func (retry *Retry) encode() []byte {
	var o object
	o.integer("max_attempts", retry.MaxAttempts)
	o.duration("initial_interval", retry.InitialInterval)
	o.float("multiplier", retry.Multiplier)
	o.duration("max_interval", retry.MaxInterval)
	o.float("jitter", retry.Jitter)
	return o.end()
}

func (concurrency *Concurrency) encode() []byte {
	var o object
	if concurrency.Limit > 0 {
		o.integer("limit", concurrency.Limit)
	}
	o.optional("key", concurrency.Key, "")
	o.optional("on_conflict", string(concurrency.OnConflict), string(OnConflictQueue))
	return o.end()
}

func appendParameter(dst []byte, parameter Parameter) []byte {
	var o object
	o.text("name", parameter.Name)
	o.text("type", orDefault(parameter.Type, string(ParameterString)))
	if parameter.Required {
		o.flag("required", true)
	}
	o.raw("default", parameter.Default)
	o.optional("label", parameter.Label, "")
	o.optional("description", parameter.Description, "")
	list(&o, "options", parameter.Options, func(dst []byte, option Option) []byte {
		var inner object
		if option.Label == "" {
			return append(dst, option.Value...)
		}
		inner.raw("value", option.Value)
		inner.text("label", option.Label)
		return append(dst, inner.end()...)
	})
	if rules := parameter.Validation; rules != nil {
		var inner object
		if rules.MinLength != nil {
			inner.integer("min_length", *rules.MinLength)
		}
		if rules.MaxLength != nil {
			inner.integer("max_length", *rules.MaxLength)
		}
		inner.optional("pattern", rules.Pattern, "")
		if rules.Min != nil {
			inner.float("min", *rules.Min)
		}
		if rules.Max != nil {
			inner.float("max", *rules.Max)
		}
		if rules.MustBe != nil {
			inner.flag("must_be", *rules.MustBe)
		}
		o.raw("validation", inner.end())
	}
	return append(dst, o.end()...)
}

func appendTrigger(dst []byte, trigger Trigger) []byte {
	var o object
	o.text("type", string(trigger.Type))
	o.optional("id", trigger.ID, "")
	if !trigger.Enabled {
		o.flag("enabled", false)
	}
	o.raw("parameters", trigger.Parameters)
	o.optional("cron", trigger.Cron, "")
	o.optional("timezone", trigger.Timezone, "UTC")
	o.optional("catch_up", string(trigger.CatchUp), string(CatchUpNone))
	if signature := trigger.Signature; signature != nil {
		var inner object
		inner.text("header", signature.Header)
		inner.text("secret", signature.Secret)
		inner.optional("prefix", signature.Prefix, "")
		o.raw("signature", inner.end())
	}
	o.optional("workflow", trigger.Workflow, "")
	if len(trigger.Statuses) != 1 || trigger.Statuses[0] != "success" {
		o.texts("statuses", trigger.Statuses)
	}
	o.optional("glob", trigger.Glob, "")
	if trigger.Type == TriggerFile && trigger.Debounce != DefaultDebounce {
		o.duration("debounce", trigger.Debounce)
	}
	return append(dst, o.end()...)
}
