package workflow

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
	"github.com/vwmp/vwmp/engine/workflow/timezone"
)

var (
	parameterKeys  = []string{"name", "type", "required", "default", "label", "description", "options", "validation"}
	optionKeys     = []string{"value", "label"}
	validationKeys = []string{"min_length", "max_length", "pattern", "min", "max", "must_be"}
	parameterTypes = []ParameterType{
		ParameterString, ParameterTextarea, ParameterInteger, ParameterNumber, ParameterBoolean, ParameterEnum,
		ParameterMultiEnum, ParameterFile, ParameterSecret, ParameterJSON,
	}
	triggerKeys = map[TriggerType][]string{
		TriggerSchedule: {"type", "id", "enabled", "parameters", "cron", "timezone", "catch_up"},
		TriggerWebhook:  {"type", "id", "enabled", "parameters", "signature"},
		TriggerWorkflow: {"type", "id", "enabled", "parameters", "workflow", "statuses"},
		TriggerFile:     {"type", "id", "enabled", "parameters", "glob", "debounce"},
	}
	triggerTypes  = []TriggerType{TriggerSchedule, TriggerWebhook, TriggerWorkflow, TriggerFile}
	signatureKeys = []string{"header", "secret", "prefix"}
	endStatuses   = []string{"success", "partial", "failed", "cancelled"}
)

func (d *decoder) parameter(n *tree.Node, at *location) (parameter Parameter) {
	parameter.Type = string(ParameterString)
	before := len(d.problems)
	defer func() { parameter.broken = len(d.problems) > before }()
	if !d.object(n, at, "A parameter") {
		return parameter
	}
	for i := range n.Members {
		member := &n.Members[i]
		value, here := member.Value, at.key(member.Key)
		switch member.Key {
		case "name":
			parameter.Name = d.pattern(value, here, "A parameter's name", isIdentifier, "be letters, digits and underscores, and not begin with a digit")
		case "type":
			choice(d, value, here, "A parameter's type", (*ParameterType)(&parameter.Type), parameterTypes...)
		case "required":
			d.boolean(value, here, "required", &parameter.Required)
		case "default":
			d.plainValue(value, here, "The default")
			parameter.Default = raw(value)
		case "label":
			parameter.Label = d.bounded(value, here, "A label", 0, 200, false)
		case "description":
			parameter.Description = d.bounded(value, here, "A description", 0, 10000, true)
		case "options":
			parameter.Options = d.options(value, here)
		case "validation":
			parameter.Validation = d.validation(value, here)
		default:
			d.unknownKey(member, here, "A parameter", parameterKeys)
		}
	}
	if n.Get("name") == nil {
		d.missing(n, at, "A parameter", "name")
	}
	d.parameterRules(n, at, &parameter)
	return parameter
}

// parameterRules reports options and rules that don't fit the type.
func (d *decoder) parameterRules(n *tree.Node, at *location, parameter *Parameter) {
	kind := ParameterType(parameter.Type)
	isEnum := kind == ParameterEnum || kind == ParameterMultiEnum
	if isEnum && n.Get("options") == nil {
		d.add(n, at, "missing_key", "A parameter of type %s needs the key %q with its choices.", kind, "options")
	}
	if !isEnum && n.Get("options") != nil {
		line, column := n.Locate("/options")
		d.addPlace(line, column, at.key("options"), "unused_key", "options have a meaning only for the types enum and multi_enum; change the type, or remove them.")
	}
	rules := n.Get("validation")
	if rules == nil || rules.Kind != tree.Object {
		return
	}
	fits := map[string]bool{}
	switch kind {
	case ParameterString, ParameterTextarea, ParameterSecret, ParameterFile:
		fits = map[string]bool{"min_length": true, "max_length": true, "pattern": true}
	case ParameterInteger, ParameterNumber:
		fits = map[string]bool{"min": true, "max": true}
	case ParameterBoolean:
		fits = map[string]bool{"must_be": true}
	case ParameterMultiEnum:
		fits = map[string]bool{"min_length": true, "max_length": true}
	}
	for i := range rules.Members {
		member := &rules.Members[i]
		if slices.Contains(validationKeys, member.Key) && !fits[member.Key] {
			d.addPlace(member.Line, member.Column, at.key("validation").key(member.Key), "unused_key",
				"The rule %s has no meaning for a parameter of type %s; remove it, or change the type.", member.Key, kind)
		}
	}
}

func (d *decoder) options(n *tree.Node, at *location) []Option {
	items := d.list(n, at, "options")
	if n.Kind == tree.Array && len(items) == 0 {
		d.add(n, at, "too_short", "options is empty; write at least one choice.")
	}
	if len(items) > 10000 {
		d.add(n, at, "too_many", "A parameter has at most 10000 options; found %d.", len(items))
		return nil
	}
	options := make([]Option, 0, len(items))
	seen := map[string]bool{}
	for i, item := range items {
		option := d.option(item, at.index(i))
		if option.Value == nil {
			continue
		}
		if seen[string(option.Value)] {
			d.add(item, at.index(i), "duplicate_option", "The option %s stands twice; remove one.", clip(string(option.Value), 60))
		}
		seen[string(option.Value)] = true
		options = append(options, option)
	}
	return options
}

func (d *decoder) option(n *tree.Node, at *location) Option {
	var option Option
	scalar := func(n *tree.Node, at *location) {
		if n.Kind == tree.Null || n.Kind == tree.Array || n.Kind == tree.Object {
			d.add(n, at, "wrong_type", "An option must be text, a number, true, false, or a map with value and label; found %s.", found(n))
			return
		}
		option.Value = raw(n)
	}
	if n.Kind != tree.Object {
		scalar(n, at)
		return option
	}
	for i := range n.Members {
		member := &n.Members[i]
		here := at.key(member.Key)
		switch member.Key {
		case "value":
			scalar(member.Value, here)
		case "label":
			option.Label = d.bounded(member.Value, here, "A label", 0, 200, false)
		default:
			d.unknownKey(member, here, "An option", optionKeys)
		}
	}
	if n.Get("value") == nil {
		d.missing(n, at, "An option", "value")
	}
	return option
}

func (d *decoder) validation(n *tree.Node, at *location) *Validation {
	if !d.object(n, at, "validation") {
		return nil
	}
	rules := &Validation{}
	for i := range n.Members {
		member := &n.Members[i]
		value, here := member.Value, at.key(member.Key)
		switch member.Key {
		case "min_length":
			rules.MinLength = new(int)
			d.integer(value, here, "min_length", 0, 10_000_000, rules.MinLength)
		case "max_length":
			rules.MaxLength = new(int)
			d.integer(value, here, "max_length", 0, 10_000_000, rules.MaxLength)
		case "pattern":
			rules.Pattern = d.regexpText(value, here)
		case "min":
			rules.Min = new(float64)
			d.number(value, here, "min", math.Inf(-1), math.Inf(1), rules.Min)
		case "max":
			rules.Max = new(float64)
			d.number(value, here, "max", math.Inf(-1), math.Inf(1), rules.Max)
		case "must_be":
			rules.MustBe = new(bool)
			d.boolean(value, here, "must_be", rules.MustBe)
		default:
			d.unknownKey(member, here, "validation", validationKeys)
		}
	}
	if rules.MinLength != nil && rules.MaxLength != nil && *rules.MinLength > *rules.MaxLength {
		d.add(n, at, "min_over_max", "min_length is more than max_length, so no value fits; change one.")
	}
	if rules.Min != nil && rules.Max != nil && *rules.Min > *rules.Max {
		d.add(n, at, "min_over_max", "min is more than max, so no value fits; change one.")
	}
	return rules
}

func (d *decoder) regexpText(n *tree.Node, at *location) string {
	text, ok := d.text(n, at, "pattern")
	if !ok {
		return ""
	}
	if len(text) > 1000 {
		d.add(n, at, "too_long", "pattern has more than 1000 characters; make it shorter.")
		return ""
	}
	if _, err := regexp.Compile(text); err != nil {
		d.add(n, at, "bad_pattern", "pattern is not a regular expression (RE2): %s. Correct it.", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return ""
	}
	return text
}

func (d *decoder) trigger(n *tree.Node, at *location, index int) Trigger {
	trigger := Trigger{Enabled: true}
	if !d.object(n, at, "A trigger") {
		return trigger
	}
	kind := n.Get("type")
	if kind == nil {
		d.missing(n, at, "A trigger", "type")
		return trigger
	}
	choice(d, kind, at.key("type"), "A trigger's type", &trigger.Type, triggerTypes...)
	if trigger.Type == "" {
		return trigger
	}
	trigger.ID = fmt.Sprintf("%s-%d", trigger.Type, index+1)
	switch trigger.Type {
	case TriggerSchedule:
		trigger.Timezone, trigger.CatchUp = "UTC", CatchUpNone
	case TriggerWorkflow:
		trigger.Statuses = []string{"success"}
	case TriggerFile:
		trigger.Debounce = DefaultDebounce
	}
	for i := range n.Members {
		member := &n.Members[i]
		if !slices.Contains(triggerKeys[trigger.Type], member.Key) {
			d.unknownKey(member, at.key(member.Key), "A trigger of type "+string(trigger.Type), triggerKeys[trigger.Type])
			continue
		}
		d.triggerKey(&trigger, member, at.key(member.Key))
	}
	for kind, key := range map[TriggerType]string{TriggerSchedule: "cron", TriggerWorkflow: "workflow", TriggerFile: "glob"} {
		if trigger.Type == kind && n.Get(key) == nil {
			d.missing(n, at, "A trigger of type "+string(kind), key)
		}
	}
	return trigger
}

func (d *decoder) triggerKey(trigger *Trigger, member *tree.Member, at *location) {
	n := member.Value
	switch member.Key {
	case "id":
		trigger.ID = d.pattern(n, at, "A trigger's id", ValidID, "be 1 to 64 letters, digits, - and _, and begin with a letter or digit")
	case "enabled":
		d.boolean(n, at, "enabled", &trigger.Enabled)
	case "parameters":
		if d.object(n, at, "parameters") {
			d.plainValue(n, at, "A parameter")
			trigger.Parameters = raw(n)
		}
	case "cron":
		if text, ok := d.text(n, at, "cron"); ok {
			trigger.Cron = text
			if _, err := ParseCron(text); err != nil {
				d.add(n, at, "bad_cron", "cron %s; write five fields: minute, hour, day of month, month, day of week, such as \"30 2 * * 1-5\".", err)
			}
		}
	case "timezone":
		if text, ok := d.text(n, at, "timezone"); ok {
			trigger.Timezone = text
			if !knownTimezone(text) {
				d.add(n, at, "bad_timezone", "There is no time zone %s; write a name such as UTC or Europe/Berlin.", found(n))
			}
		}
	case "catch_up":
		choice(d, n, at, "catch_up", &trigger.CatchUp, CatchUpNone, CatchUpLast, CatchUpAll)
	case "signature":
		trigger.Signature = d.signature(n, at)
	case "workflow":
		trigger.Workflow = d.bounded(n, at, "The workflow to watch", 1, 200, false)
	case "statuses":
		trigger.Statuses = d.statuses(n, at)
	case "glob":
		trigger.Glob = d.bounded(n, at, "glob", 1, 1000, false)
		if problem := globProblem(trigger.Glob); problem != "" {
			d.add(n, at, "bad_glob", "glob %s; write a pattern below the workspace, such as docs/**/*.md.", problem)
		}
	case "debounce":
		trigger.Debounce = d.duration(n, at, "debounce", true)
	}
}

// knownTimezone asks for a name in the time zone database. The names "" and
// "Local" would mean whatever the machine is set to.
func knownTimezone(name string) bool {
	if name == "" || name == "Local" || len(name) > 64 {
		return false
	}
	_, err := timezone.Load(name)
	return err == nil
}

func (d *decoder) statuses(n *tree.Node, at *location) []string {
	var statuses []string
	items := d.list(n, at, "statuses")
	if n.Kind == tree.Array && len(items) == 0 {
		d.add(n, at, "too_short", "statuses is empty, so the trigger would never fire; name at least one.")
	}
	for i, item := range items {
		var status string
		choice(d, item, at.index(i), "A status", &status, endStatuses...)
		if status != "" && !slices.Contains(statuses, status) {
			statuses = append(statuses, status)
		}
	}
	return statuses
}

func (d *decoder) signature(n *tree.Node, at *location) *Signature {
	if !d.object(n, at, "signature") {
		return nil
	}
	signature := &Signature{}
	for i := range n.Members {
		member := &n.Members[i]
		here := at.key(member.Key)
		switch member.Key {
		case "header":
			signature.Header = d.pattern(member.Value, here, "header", isHeaderName, "be the name of an HTTP header, such as X-Hub-Signature-256")
		case "secret":
			signature.Secret = d.secretName(member.Value, here)
		case "prefix":
			signature.Prefix = d.bounded(member.Value, here, "prefix", 0, 100, false)
		default:
			d.unknownKey(member, here, "signature", signatureKeys)
		}
	}
	for _, key := range []string{"header", "secret"} {
		if n.Get(key) == nil {
			d.missing(n, at, "signature", key)
		}
	}
	return signature
}

// secretName reads the name of a stored secret, bare or as a reference.
func (d *decoder) secretName(n *tree.Node, at *location) string {
	text, ok := d.text(n, at, "secret")
	if !ok {
		return ""
	}
	name := text
	if inner, ok := strings.CutPrefix(name, "${secrets."); ok {
		name = strings.TrimSuffix(inner, "}")
	}
	if !ValidSecretName(name) {
		// The text may be the secret itself, so it is not repeated.
		d.add(n, at, "bad_format", "secret must be the name of a stored secret, or ${secrets.NAME}; never write the secret itself here.")
		return ""
	}
	return name
}

// optionText is what a person sees of an option.
func optionText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
