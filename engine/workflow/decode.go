package workflow

import (
	"slices"
	"strconv"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

var (
	definitionKeys = []string{
		"name", "version", "type", "description", "tags", "config", "parameters", "steps", "timeout",
		"on_failure", "concurrency", "triggers",
	}
	metadataKeys = []string{
		"id", "step_count", "revision", "created_at", "updated_at", "last_executed", "last_status",
		"execution_count", "owner", "team", "visibility", "valid", "problems", "draft", "text_rewritten",
	}
	stepKeys = []string{
		"id", "name", "type", "handler", "description", "config", "required", "enabled", "automatic",
		"dependencies", "when", "run_on", "retry", "timeout", "on_interrupt", "for_each", "max_parallel", "ui",
	}
	retryKeys       = []string{"max_attempts", "initial_interval", "multiplier", "max_interval", "jitter"}
	concurrencyKeys = []string{"limit", "key", "on_conflict"}
)

func (d *decoder) definition(n *tree.Node, at *location) *Definition {
	def := &Definition{Version: DefaultVersion, Type: DefaultType, OnFailure: OnFailureStop}
	for i := range n.Members {
		member := &n.Members[i]
		d.definitionKey(def, member, at.key(member.Key))
	}
	if n.Get("name") == nil {
		d.missing(n, at, "The workflow", "name")
	}
	if n.Get("steps") == nil {
		d.missing(n, at, "The workflow", "steps")
	}
	return def
}

func (d *decoder) definitionKey(def *Definition, member *tree.Member, at *location) {
	n := member.Value
	switch member.Key {
	case "name":
		def.Name = d.bounded(n, at, "The workflow's name", 1, 200, false)
	case "version":
		def.Version = d.pattern(n, at, "The version", isVersion, "be MAJOR.MINOR.PATCH, such as 1.0.0")
	case "type":
		def.Type = d.pattern(n, at, "The type", isWord, "be lower-case letters, digits and underscores, and begin with a letter")
	case "description":
		def.Description = d.bounded(n, at, "The description", 0, 1000, true)
	case "tags":
		def.Tags = d.tags(n, at)
	case "config":
		if d.object(n, at, "config") {
			d.plainValue(n, at, "config")
			def.Config = raw(n)
		}
	case "parameters":
		for i, item := range d.list(n, at, "parameters") {
			def.Parameters = append(def.Parameters, d.parameter(item, at.index(i)))
		}
	case "steps":
		def.Steps = d.steps(n, at)
	case "timeout":
		def.Timeout = d.duration(n, at, "timeout", false)
	case "on_failure":
		choice(d, n, at, "on_failure", &def.OnFailure, OnFailureStop, OnFailureContinue, OnFailureRollback)
	case "concurrency":
		def.Concurrency = d.concurrency(n, at)
	case "triggers":
		for i, item := range d.list(n, at, "triggers") {
			def.Triggers = append(def.Triggers, d.trigger(item, at.index(i), i))
		}
	default:
		if !d.ignoreMetadata || !slices.Contains(metadataKeys, member.Key) {
			d.unknownKey(member, at, "A workflow", definitionKeys)
		}
	}
}

// pattern reads a string of a fixed form; rule completes "must …".
func (d *decoder) pattern(n *tree.Node, at *location, what string, valid func(string) bool, rule string) string {
	text, ok := d.text(n, at, what)
	if ok && (len(text) > 200 || !valid(text)) {
		d.add(n, at, "bad_format", "%s must %s; found %s.", what, rule, found(n))
	}
	return text
}

func (d *decoder) tags(n *tree.Node, at *location) []string {
	var tags []string
	items := d.list(n, at, "tags")
	if len(items) > 100 {
		d.add(n, at, "too_many", "A workflow has at most 100 tags; found %d.", len(items))
		return nil
	}
	for i, item := range items {
		tags = append(tags, d.bounded(item, at.index(i), "A tag", 1, 100, false))
	}
	return tags
}

func (d *decoder) concurrency(n *tree.Node, at *location) *Concurrency {
	if !d.object(n, at, "concurrency") {
		return nil
	}
	concurrency := &Concurrency{OnConflict: OnConflictQueue}
	for i := range n.Members {
		member := &n.Members[i]
		here := at.key(member.Key)
		switch member.Key {
		case "limit":
			d.integer(member.Value, here, "limit", 1, 1_000_000, &concurrency.Limit)
		case "key":
			concurrency.Key = d.bounded(member.Value, here, "The key", 1, 1000, false)
		case "on_conflict":
			choice(d, member.Value, here, "on_conflict", &concurrency.OnConflict, OnConflictQueue, OnConflictReject, OnConflictCancelRunning)
		default:
			d.unknownKey(member, here, "concurrency", concurrencyKeys)
		}
	}
	return concurrency
}

func (d *decoder) steps(n *tree.Node, at *location) []Step {
	items := d.list(n, at, "steps")
	switch {
	case n.Kind == tree.Array && len(items) == 0:
		d.add(n, at, "no_steps", "A workflow needs at least one step.")
	case len(items) > MaxSteps:
		d.add(n, at, "too_many_steps", "A workflow has at most %d steps; found %d. Split it, and run the parts with flow.workflow.", MaxSteps, len(items))
		return nil
	}
	steps := make([]Step, len(items))
	for i, item := range items {
		d.step(&steps[i], item, at.index(i))
	}
	return steps
}

func (d *decoder) step(step *Step, n *tree.Node, at *location) {
	step.Required, step.RunOn, step.OnInterrupt = true, RunOnSuccess, OnInterruptAsk
	if !d.object(n, at, "A step") {
		return
	}
	if id := n.Get("id"); id != nil && id.Kind == tree.String && ValidID(id.Text) {
		at.stepID = id.Text
	}
	for i := range n.Members {
		member := &n.Members[i]
		d.stepKey(step, member, at.key(member.Key))
	}
	if n.Get("id") == nil {
		d.missing(n, at, "A step", "id")
	}
	if n.Get("handler") == nil {
		d.missing(n, at, "A step", "handler")
	}
	if step.ForEach == nil && n.Get("max_parallel") != nil {
		line, column := n.Locate("/max_parallel")
		d.addPlace(line, column, at.key("max_parallel"), "unused_key", "max_parallel has a meaning only with for_each; remove it, or add for_each.")
	}
	if step.ForEach != nil && step.MaxParallel == 0 {
		step.MaxParallel = DefaultMaxParallel
	}
}

func (d *decoder) stepKey(step *Step, member *tree.Member, at *location) {
	n := member.Value
	switch member.Key {
	case "id":
		step.ID = d.pattern(n, at, "A step's id", ValidID, "be 1 to 64 letters, digits, - and _, and begin with a letter or digit")
	case "name":
		step.Name = d.bounded(n, at, "A step's name", 1, 200, false)
	case "type":
		step.Type = d.bounded(n, at, "A step's type", 1, 100, false)
	case "handler":
		step.Handler = d.pattern(n, at, "A handler", isHandlerPath, "be written as plugin.handler, such as git.commit")
	case "description":
		step.Description = d.bounded(n, at, "A step's description", 0, 10000, true)
	case "config":
		if d.object(n, at, "A step's config") {
			d.plainValue(n, at, "The config")
			step.Config = raw(n)
		}
	case "required":
		d.boolean(n, at, "required", &step.Required)
	case "enabled":
		step.Enabled = d.boolOrReference(n, at)
	case "automatic":
		d.boolean(n, at, "automatic", &step.Automatic)
	case "dependencies":
		step.Dependencies = d.dependencies(n, at)
	case "when":
		step.When = d.when(n, at)
	case "run_on":
		choice(d, n, at, "run_on", &step.RunOn, RunOnSuccess, RunOnFailure, RunOnAlways)
	case "retry":
		step.Retry = d.retry(n, at)
	case "timeout":
		step.Timeout = d.duration(n, at, "timeout", false)
	case "on_interrupt":
		choice(d, n, at, "on_interrupt", &step.OnInterrupt, OnInterruptAsk, OnInterruptRetry, OnInterruptFail, OnInterruptSkip, OnInterruptUndo)
	case "for_each":
		step.ForEach = d.forEach(n, at)
	case "max_parallel":
		d.integer(n, at, "max_parallel", 1, 1000, &step.MaxParallel)
	case "ui":
		step.UI = d.ui(n, at)
	default:
		d.unknownKey(member, at, "A step", stepKeys)
	}
}

func (d *decoder) boolOrReference(n *tree.Node, at *location) []byte {
	if n.Kind == tree.Bool || n.Kind == tree.String && hasReference(n.Text) {
		return raw(n)
	}
	d.add(n, at, "wrong_type", "enabled must be true, false or a reference such as ${parameters.publish}; found %s.", found(n))
	return nil
}

func (d *decoder) when(n *tree.Node, at *location) string {
	if n.Kind == tree.Bool {
		// YAML makes a bool of the expression true.
		return n.Text
	}
	text, ok := d.text(n, at, "when")
	if ok && text == "" {
		d.add(n, at, "too_short", "when is empty; write an expression, or remove the key.")
	}
	return text
}

func (d *decoder) forEach(n *tree.Node, at *location) []byte {
	switch {
	case n.Kind == tree.Array:
		if len(n.Items) > MaxItems {
			d.add(n, at, "too_many_items", "for_each has at most %d items; found %d.", MaxItems, len(n.Items))
			return nil
		}
		d.plainValue(n, at, "for_each")
		return raw(n)
	case n.Kind == tree.String && hasReference(n.Text):
		return raw(n)
	}
	d.add(n, at, "wrong_type", "for_each must be a list or a reference such as ${parameters.files}; found %s.", found(n))
	return nil
}

func (d *decoder) dependencies(n *tree.Node, at *location) []string {
	items := d.list(n, at, "dependencies")
	if len(items) == 0 {
		return nil
	}
	ids := make([]string, 0, len(items))
	for i, item := range items {
		if item.Kind == tree.String && ValidID(item.Text) {
			ids = append(ids, item.Text)
			continue
		}
		ids = append(ids, d.pattern(item, at.index(i), "A dependency", ValidID, "be the id of another step"))
	}
	return ids
}

func (d *decoder) retry(n *tree.Node, at *location) *Retry {
	if !d.object(n, at, "retry") {
		return nil
	}
	retry := DefaultRetry()
	for i := range n.Members {
		member := &n.Members[i]
		here := at.key(member.Key)
		switch member.Key {
		case "max_attempts":
			d.integer(member.Value, here, "max_attempts", 1, 1000, &retry.MaxAttempts)
		case "initial_interval":
			retry.InitialInterval = d.duration(member.Value, here, "initial_interval", true)
		case "multiplier":
			d.number(member.Value, here, "multiplier", 1, 1000, &retry.Multiplier)
		case "max_interval":
			retry.MaxInterval = d.duration(member.Value, here, "max_interval", false)
		case "jitter":
			d.number(member.Value, here, "jitter", 0, 1, &retry.Jitter)
		default:
			d.unknownKey(member, here, "retry", retryKeys)
		}
	}
	if n.Get("max_interval") != nil && n.Get("initial_interval") != nil && retry.InitialInterval > retry.MaxInterval {
		line, column := n.Locate("/max_interval")
		d.addPlace(line, column, at.key("max_interval"), "min_over_max", "max_interval is less than initial_interval; raise it.")
	}
	return &retry
}

// ui reads what the designer keeps. The engine doesn't read it, but a typing
// mistake in it would otherwise never be seen.
func (d *decoder) ui(n *tree.Node, at *location) []byte {
	if !d.object(n, at, "ui") {
		return nil
	}
	for i := range n.Members {
		member := &n.Members[i]
		here := at.key(member.Key)
		if member.Key != "position" {
			d.unknownKey(member, here, "ui", []string{"position"})
			continue
		}
		if !d.object(member.Value, here, "position") {
			continue
		}
		for j := range member.Value.Members {
			axis := &member.Value.Members[j]
			var number float64
			if axis.Key != "x" && axis.Key != "y" {
				d.unknownKey(axis, here.key(axis.Key), "position", []string{"x", "y"})
				continue
			}
			d.number(axis.Value, here.key(axis.Key), strconv.Quote(axis.Key), -1e9, 1e9, &number)
		}
	}
	return raw(n)
}
