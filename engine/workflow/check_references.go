package workflow

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
)

// stepRules says what a string's references may name.
type stepRules struct {
	// node is the step around it, nil outside of one.
	node *Node
	// outputs, secrets, item and trigger allow these roots.
	outputs, secrets, item, trigger bool
}

// template parses a value and checks each of its references.
func (c *compiler) template(value json.RawMessage, pointer string, rules stepRules) *Template {
	stepID := ""
	if rules.node != nil {
		stepID = rules.node.Step.ID
	}
	template, problems := ParseTemplate(value, pointer)
	for _, problem := range problems {
		problem.StepID = stepID
		c.report(problem)
		c.usedAll = true
	}
	if template == nil {
		return nil
	}
	for i := range template.references {
		c.checkReference(&template.references[i], pointer+template.references[i].Pointer, stepID, rules)
	}
	c.notePlaceholders(value)
	return template
}

// placeholder is the {name} that handlers fill in by themselves, from the
// parameters too.
var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{([a-z_][a-z0-9_]*)\}`) })

func (c *compiler) notePlaceholders(value json.RawMessage) {
	if !slices.Contains(value, '{') {
		return
	}
	for _, match := range placeholder().FindAllSubmatch(value, -1) {
		c.used[string(match[1])] = true
		if string(match[1]) == "type" {
			c.used["change_type"] = true
		}
	}
}

func (c *compiler) checkReference(reference *Reference, pointer, stepID string, rules stepRules) {
	fail := func(code, format string, args ...any) {
		c.error(pointer, stepID, code, "The reference %s %s", reference.Text, fmt.Sprintf(format, args...))
	}
	switch reference.Root {
	case RootConfig:
		if reference.Default != nil {
			return
		}
		if reason := c.configProblem(reference.Path); reason != "" {
			fail("unknown_config", "%s", sentenceEnd(reason))
		}
	case RootParameters:
		if rules.trigger {
			fail("not_allowed_here", "can't be used in a trigger's parameters, which come before the execution's; write the value.")
			return
		}
		c.used[reference.Name()] = true
		if c.parameters[reference.Name()] == nil {
			nearest := c.suggest.nearest(reference.Name(), c.parameterNames())
			fail("unknown_parameter", "names a parameter that the workflow does not declare%s", endSentence(didYouMean(nearest)))
		} else if c.parameters[reference.Name()].Type == string(ParameterSecret) && !rules.secrets {
			fail("not_allowed_here", "can't be used here: a secret parameter may stand only in a step's config.")
		}
	case RootStepOutputs:
		c.checkOutput(reference, fail, rules)
	case RootAdapter:
		if c.cat != nil && reference.Default == nil && !c.hasPlugin(reference.Name()) {
			fail("unknown_plugin", "names the plugin %q, which is not there. Install it, or add a default.", reference.Name())
		}
	case RootSecrets:
		if !rules.secrets {
			fail("not_allowed_here", "can't be used here: a secret may stand only in a step's config.")
		}
	case RootItem, RootIndex:
		if !rules.item {
			fail("item_outside_for_each", "has a value only in the config of a step with for_each; add for_each to the step.")
		}
	case RootTrigger:
		if !rules.trigger {
			fail("trigger_outside_trigger", "has a value only in a trigger's parameters; pass it on as a parameter.")
		}
	case RootExecution, RootWorkspace:
		if rules.trigger {
			fail("not_allowed_here", "can't be used in a trigger's parameters: there is no execution yet.")
		}
	}
}

// maxConfigWork bounds the bytes of the workflow's config that are searched
// for the paths of references. What is not judged here is judged when the
// step starts.
const maxConfigWork = 64 << 20

// configProblem says why a path leads to nothing in the workflow's config,
// or "".
func (c *compiler) configProblem(path []rawjson.Segment) string {
	c.configWork += len(c.def.Config)
	if c.configWork > maxConfigWork {
		return ""
	}
	_, reason := follow(c.def.Config, path, "the workflow's config")
	return reason
}

func sentenceEnd(text string) string {
	if strings.HasSuffix(text, "?") || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

func (c *compiler) checkOutput(reference *Reference, fail func(code, format string, args ...any), rules stepRules) {
	if !rules.outputs {
		fail("not_allowed_here", "can't be used here: no step has run yet.")
		return
	}
	target, ok := c.graph.index[reference.Name()]
	if !ok {
		fail("unknown_step", "names %q, which is no step of this workflow%s", clip(reference.Name(), 70), endSentence(didYouMean(c.suggest.nearest(reference.Name(), c.stepIDs()))))
		return
	}
	c.checkOutputKey(reference, target, fail)
	if reference.Default != nil {
		return
	}
	node := rules.node
	c.queries = append(c.queries, upstreamQuery{node: node.Index, target: target, fail: func() {
		if node.Index == target {
			fail("step_not_upstream", "names the step itself, which has no output before it has run.")
			return
		}
		fail("step_not_upstream", "names step %q, which step %q does not come after. Add it to the dependencies, or add a default.", reference.Name(), node.Step.ID)
	}})
}

// checkOutputKey judges the key where the handler says that it gives no
// others.
func (c *compiler) checkOutputKey(reference *Reference, target int, fail func(code, format string, args ...any)) {
	step := &c.def.Steps[target]
	if c.cat == nil || step.ForEach != nil || len(reference.Path) < 2 || reference.Path[1].Index >= 0 || reference.Default != nil {
		return
	}
	handler, ok := c.cat.Handler(step.Handler)
	if !ok {
		return
	}
	additional, missing := rawjson.Lookup(handler.Info.OutputSchema, []rawjson.Segment{rawjson.Key("additionalProperties")})
	if missing != nil || string(additional) != "false" {
		return
	}
	var keys []string
	properties, _ := rawjson.Lookup(handler.Info.OutputSchema, []rawjson.Segment{rawjson.Key("properties")})
	rawjson.Members(properties, func(key string, _ []byte) bool {
		keys = append(keys, key)
		return true
	})
	key := reference.Path[1].Key
	if slices.Contains(keys, key) {
		return
	}
	remedy := didYouMean(c.suggest.nearest(key, slices.Values(keys)))
	if remedy == "" {
		remedy = "; it gives " + strings.Join(keys, ", ") + "."
	}
	fail("unknown_output", "names %q, which %s does not give%s", key, step.Handler, remedy)
}

func (c *compiler) hasPlugin(name string) bool {
	if c.plugins == nil {
		c.plugins = map[string]bool{}
		for _, path := range c.cat.HandlerPaths() {
			plugin, _, _ := strings.Cut(path, ".")
			c.plugins[plugin] = true
		}
	}
	return c.plugins[name]
}

// condition compiles a step's when, and checks the names in it.
func (c *compiler) condition(node *Node, pointer string) *Expression {
	step := node.Step
	expression, failure := compileExpression(step.When)
	if failure != nil {
		remedy := ""
		if failure.code == "unknown_name" {
			remedy = c.parameterHint(failure.message)
		}
		c.error(pointer, step.ID, failure.code, "%s%s", failure.message, remedy)
		// It may name any parameter: what it means is not known yet.
		c.usedAll = true
		return nil
	}
	uses := expression.uses
	for _, path := range uses.paths {
		if len(path.segments) > 1 && !uses.optional[path.text] {
			c.checkPath(&path, pointer, step.ID)
		}
	}
	for _, name := range uses.parameters {
		c.used[name] = true
	}
	c.usedAll = c.usedAll || uses.wholeParameters
	for _, id := range uses.steps {
		target, ok := c.graph.index[id]
		if !ok {
			c.error(pointer, step.ID, "unknown_step", "The condition names step %q, which is no step of this workflow%s", clip(id, 70), endSentence(didYouMean(c.suggest.nearest(id, c.stepIDs()))))
			continue
		}
		c.queries = append(c.queries, upstreamQuery{node: node.Index, target: target, fail: func() {
			c.error(pointer, step.ID, "step_not_upstream", "The condition names step %q, which step %q does not come after, so its status would depend on chance. Add it to the dependencies.", id, step.ID)
		}})
	}
	for i := range c.def.Parameters {
		if c.def.Parameters[i].Type == string(ParameterSecret) {
			if expression.secret == nil {
				expression.secret = map[string]bool{}
			}
			expression.secret[c.def.Parameters[i].Name] = true
		}
	}
	return expression
}

// checkPath judges config.… and parameters.… in a condition.
func (c *compiler) checkPath(path *visiblePath, pointer, stepID string) {
	name := path.segments[1].Key
	switch path.segments[0].Key {
	case "config":
		if reason := c.configProblem(path.segments[1:2]); reason != "" {
			c.error(pointer, stepID, "unknown_config", "In the condition, %s %s", path.text, sentenceEnd(reason))
		}
	case "parameters":
		if c.parameters[name] == nil {
			nearest := c.suggest.nearest(name, c.parameterNames())
			c.error(pointer, stepID, "unknown_parameter", "The condition names the parameter %q, which the workflow does not declare%s", name, endSentence(didYouMean(nearest)))
		}
	}
}

// parameterHint recognises a parameter that is named without its root.
func (c *compiler) parameterHint(message string) string {
	_, rest, _ := strings.Cut(message, "unknown name ")
	name, _, _ := strings.Cut(rest, ".")
	if c.parameters[name] != nil {
		return fmt.Sprintf(" Did you mean parameters.%s?", name)
	}
	if _, ok := c.graph.index[name]; ok {
		return fmt.Sprintf(" Did you mean steps[%q]?", name)
	}
	return ""
}

// warnUnused warns of parameters that nothing names.
func (c *compiler) warnUnused() {
	if c.usedAll {
		return
	}
	for i := range c.def.Parameters {
		parameter := &c.def.Parameters[i]
		// One that must have a certain value is a question to the person.
		if c.used[parameter.Name] || c.parameters[parameter.Name] != parameter || parameter.broken || parameter.Validation != nil && parameter.Validation.MustBe != nil {
			continue
		}
		c.warn(fmt.Sprintf("/parameters/%d", i), "", "unused_parameter", "Nothing in the workflow refers to the parameter %q; use it as ${parameters.%s}, or remove it.", parameter.Name, parameter.Name)
	}
}

// warnUnreachable warns of steps that can never run, whatever happens. A
// step that is switched off is not among them: that is somebody's choice,
// and what comes after it runs.
func (c *compiler) warnUnreachable() {
	nodes := c.graph.nodes
	// broken: its dependents with run_on: success are never satisfied.
	// never: it neither runs nor fails.
	broken, never := make([]bool, len(nodes)), make([]bool, len(nodes))
	for _, i := range c.order {
		node := &nodes[i]
		pointer := fmt.Sprintf("/steps/%d", i)
		off := string(node.Step.Enabled) == "false"
		constant := node.When != nil && node.When.uses.constant != nil
		if constant && !*node.When.uses.constant {
			c.warn(pointer+"/when", node.Step.ID, "unreachable_step", "Step %q never runs: its condition is always false. Remove the step, or correct the condition.", node.Step.ID)
			off = true
		}
		never[i] = off
		causes := slices.IndexFunc(node.Dependencies, func(d int) bool { return broken[d] })
		switch {
		case off:
		case node.Step.RunOn == RunOnSuccess && causes >= 0:
			broken[i] = true
			c.warn(pointer, node.Step.ID, "unreachable_step", "Step %q can never run: it needs step %q to succeed, which never does. Change its dependencies, or use run_on: failure or always.", node.Step.ID, nodes[node.Dependencies[causes]].Step.ID)
		case node.Step.RunOn == RunOnFailure && !c.canFail(node, never):
			never[i] = true
			c.warn(pointer, node.Step.ID, "unreachable_step", "Step %q can never run: it waits for a failure, and none of the steps before it ever runs. Change its dependencies.", node.Step.ID)
		case node.Step.Handler == HandlerFail && node.Step.Required && node.Step.Enabled == nil && (node.When == nil || constant) && node.Step.RunOn == RunOnSuccess && node.Step.ForEach == nil:
			broken[i] = true
		}
	}
}

// canFail reports whether any step that a failure step waits for can run.
func (c *compiler) canFail(node *Node, never []bool) bool {
	return slices.ContainsFunc(c.graph.before(node.Index), func(d int) bool { return !never[d] })
}
