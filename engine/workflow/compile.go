package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Compile checks what the parts of a document say of each other and of the
// handlers there are, and returns every problem at once. The graph is nil if
// there is any error, or if the document itself had one. Without a catalogue
// (nil) handlers and types are not checked.
func Compile(doc *Document, cat Catalogue) (*Graph, Problems) {
	if doc == nil || doc.Definition == nil {
		return nil, Problems{newProblem("", "", "no_document", "There is no document to compile.")}
	}
	def := doc.Definition
	c := &compiler{doc: doc, def: def, cat: cat, used: map[string]bool{}, parameters: map[string]*Parameter{}}
	c.graph = &Graph{definition: def, nodes: make([]Node, len(def.Steps)), index: make(map[string]int, len(def.Steps))}
	c.checkParameters()
	c.checkType()
	c.checkWorkflowConfig()
	c.checkSteps()
	c.link()
	sorted := c.sort()
	c.checkConcurrency()
	c.checkTriggers()
	if sorted {
		c.answer()
		c.warnUnreachable()
	}
	c.warnUnused()
	problems := c.problems.Sort()
	if problems.HasErrors() || doc.broken {
		return nil, problems
	}
	c.graph.collectSecrets()
	return c.graph, problems
}

// Validate parses and compiles a text and returns the problems of both, as
// saving and executing do. The graph is nil if there is any error.
func Validate(data []byte, opts ParseOptions, cat Catalogue) (*Document, *Graph, Problems) {
	doc, problems := Parse(data, opts)
	if doc == nil {
		return nil, nil, problems
	}
	graph, found := Compile(doc, cat)
	return doc, graph, append(problems, found...).Sort()
}

// compiler holds what Compile knows on its way.
type compiler struct {
	doc      *Document
	def      *Definition
	cat      Catalogue
	graph    *Graph
	problems Problems
	suggest  suggester
	// order lists the steps so that each comes after what it waits for.
	order   []int
	queries []upstreamQuery
	// used names the parameters that something refers to; usedAll is set
	// where any of them may be.
	used    map[string]bool
	usedAll bool
	plugins map[string]bool
	// parameters holds the declarations by name.
	parameters map[string]*Parameter
	configWork int
}

// report adds a problem. Its pointer counts from the definition; what is
// reported counts from the text.
func (c *compiler) report(problem pluginsdk.Problem) {
	if len(c.problems) > 20*MaxProblems {
		return
	}
	problem.Pointer = c.doc.prefix + problem.Pointer
	problem.Line, problem.Column = c.doc.Position(problem.Pointer)
	c.problems = append(c.problems, problem)
}

func (c *compiler) error(pointer, stepID, code, format string, args ...any) {
	c.report(newProblem(pointer, stepID, code, format, args...))
}

func (c *compiler) warn(pointer, stepID, code, format string, args ...any) {
	problem := newProblem(pointer, stepID, code, format, args...)
	problem.Severity = pluginsdk.SeverityWarning
	c.report(problem)
}

func (c *compiler) checkParameters() {
	first := map[string]int{}
	for i := range c.def.Parameters {
		parameter := &c.def.Parameters[i]
		pointer := fmt.Sprintf("/parameters/%d", i)
		if earlier, ok := first[parameter.Name]; ok && parameter.Name != "" {
			c.error(pointer+"/name", "", "duplicate_parameter", "The parameter %q stands twice, first as number %d; rename or remove one.", parameter.Name, earlier+1)
			continue
		}
		first[parameter.Name], c.parameters[parameter.Name] = i, parameter
		if parameter.Default == nil || parameter.broken {
			continue
		}
		for _, problem := range parameter.check(parameter.Default, pointer+"/default", "The default", false) {
			c.report(problem)
		}
		if parameter.Type == string(ParameterSecret) && rawjson.Kind(parameter.Default) != "null" {
			c.warn(pointer+"/default", "", "secret_in_document", "The secret parameter %q has a default that everybody who reads the workflow sees; remove it.", parameter.Name)
		}
	}
}

func (c *compiler) checkType() {
	if c.cat == nil || c.def.Type == DefaultType || !isWord(c.def.Type) {
		return
	}
	declared, ok := c.cat.WorkflowType(c.def.Type)
	if !ok {
		nearest := c.suggest.nearest(c.def.Type, slices.Values(c.cat.WorkflowTypes()))
		c.warn("/type", "", "unknown_type", "No plugin declares the workflow type %q%s", c.def.Type, endSentence(didYouMean(nearest)))
		return
	}
	schema, _, err := compileSchema(declared.ConfigSchema)
	if err != nil {
		c.warn("/type", "", "bad_schema", "The config of workflow type %q can't be checked: its plugin's own description is wrong. Tell the plugin's author.", c.def.Type)
		return
	}
	for _, problem := range checkSchema(schema, c.def.Config, nil, "/config", "") {
		c.report(problem)
	}
}

// checkWorkflowConfig warns of references where none are put in.
func (c *compiler) checkWorkflowConfig() {
	if c.def.Config == nil {
		return
	}
	template, _ := ParseTemplate(c.def.Config, "/config")
	for _, reference := range template.References() {
		c.warn("/config"+reference.Pointer, "", "reference_not_resolved",
			"References are put in only in a step's config: here %s stays as it is. Use it in the steps, or write $${ to say that it is meant as text.", reference.Text)
	}
}

func (c *compiler) checkSteps() {
	for i := range c.def.Steps {
		step := &c.def.Steps[i]
		c.graph.nodes[i] = Node{Index: i, Step: step}
		if step.ID == "" {
			continue
		}
		if first, ok := c.graph.index[step.ID]; ok {
			c.error(fmt.Sprintf("/steps/%d/id", i), step.ID, "duplicate_id", "The step id %q stands twice, first as step number %d; rename one.", step.ID, first+1)
			continue
		}
		c.graph.index[step.ID] = i
	}
	for i := range c.graph.nodes {
		c.checkStep(&c.graph.nodes[i], fmt.Sprintf("/steps/%d", i))
	}
}

func (c *compiler) checkStep(node *Node, pointer string) {
	step := node.Step
	c.checkHandler(node, pointer)
	rules := stepRules{node: node, outputs: true, secrets: true, item: step.ForEach != nil}
	node.Config = c.template(step.Config, pointer+"/config", rules)
	rules.secrets, rules.item = false, false
	node.Enabled = c.template(step.Enabled, pointer+"/enabled", rules)
	node.ForEach = c.template(step.ForEach, pointer+"/for_each", rules)
	if step.When != "" {
		node.When = c.condition(node, pointer+"/when")
	}
	c.checkConfig(node, pointer+"/config")
}

func (c *compiler) checkHandler(node *Node, pointer string) {
	path := node.Step.Handler
	if c.cat == nil || path == "" || !isHandlerPath(path) {
		return
	}
	handler, ok := c.cat.Handler(path)
	if ok {
		node.Handler = handler
		return
	}
	paths := c.cat.HandlerPaths()
	remedy := didYouMean(c.suggest.nearest(path, slices.Values(paths)))
	if remedy == "" {
		plugin := path[:strings.IndexByte(path, '.')+1]
		var siblings []string
		for _, known := range paths {
			if strings.HasPrefix(known, plugin) && len(siblings) < 12 {
				siblings = append(siblings, known)
			}
		}
		remedy = fmt.Sprintf("; there is no plugin %q. Install it, or choose another handler.", strings.TrimSuffix(plugin, "."))
		if len(siblings) > 0 {
			remedy = "; there is " + strings.Join(siblings, ", ") + "."
		}
	}
	c.error(pointer+"/handler", node.Step.ID, "unknown_handler", "There is no handler %q%s", path, remedy)
}

// checkConfig judges what is literal in a step's config.
func (c *compiler) checkConfig(node *Node, pointer string) {
	if node.Handler == nil {
		return
	}
	schema, err := node.Handler.Schema()
	if err != nil {
		for _, problem := range CheckConfig(node.Handler, nil, pointer, node.Step.ID) {
			c.report(problem)
		}
		return
	}
	open := &openPlaces{}
	for _, reference := range node.Config.References() {
		open.pointers = append(open.pointers, reference.Pointer)
	}
	if node.Step.Config == nil && c.doc.root.At(c.doc.prefix+pointer) != nil {
		// What is wrong with it was reported when it was read.
		return
	}
	config, err := readObject(node.Step.Config)
	if err != nil {
		return
	}
	literal := fillDefaults(config, node.Handler.tree, 0).AppendJSON(nil)
	for _, problem := range checkSchema(schema, literal, open, pointer, node.Step.ID) {
		c.report(problem)
	}
	c.checkScripts(node, config, pointer)
	if node.Step.Handler == HandlerApproval {
		if form := config.Get("form"); form != nil && form.Kind == tree.Object && !hasDollar(form) {
			if _, _, err := compileSchema(form.AppendJSON(nil)); err != nil {
				c.error(pointer+"/form", node.Step.ID, "bad_schema", "The form is not a JSON Schema: %s.", clip(strings.TrimSuffix(err.Error(), "."), 300))
			}
		}
	}
}

// ScriptKeyword marks a property of a config schema as program text, such as
// a shell script. A reference in it would let data become code, so it is
// refused unless the config says unsafe_interpolation: true.
const ScriptKeyword = "x-vwmp-script"

// CodeUnsafeInterpolation is that of the warning for a reference in program
// text that the config allows.
const CodeUnsafeInterpolation = "unsafe_interpolation"

func (c *compiler) checkScripts(node *Node, config *tree.Node, pointer string) {
	allowed := config.Get("unsafe_interpolation")
	unsafe := allowed != nil && allowed.Kind == tree.Bool && allowed.Text == "true"
	properties := node.Handler.tree.Get("properties")
	for _, reference := range node.Config.References() {
		key, _, _ := strings.Cut(strings.TrimPrefix(reference.Pointer, "/"), "/")
		mark := properties.Get(key).Get(ScriptKeyword)
		if mark == nil || mark.Text != "true" {
			continue
		}
		if unsafe {
			c.warn(pointer+reference.Pointer, node.Step.ID, CodeUnsafeInterpolation,
				"The reference %s is put into program text, where a value can become code; unsafe_interpolation allows it.", reference.Text)
		} else {
			c.error(pointer+reference.Pointer, node.Step.ID, "reference_in_script",
				"The reference %s stands inside program text, where a value could become code. Pass it as an argument or in the environment, or set unsafe_interpolation: true.", reference.Text)
		}
	}
}

func (c *compiler) checkConcurrency() {
	concurrency := c.def.Concurrency
	if concurrency == nil {
		return
	}
	if concurrency.Key != "" {
		c.graph.key = c.template(quote(concurrency.Key), "/concurrency/key", stepRules{})
	}
	if concurrency.Limit == 0 {
		c.warn("/concurrency", "", "no_limit", "concurrency has no limit, so it changes nothing; add one, such as limit: 1.")
	}
}

func (c *compiler) checkTriggers() {
	c.graph.triggers = make([]*Template, len(c.def.Triggers))
	seen := map[string]int{}
	for i := range c.def.Triggers {
		trigger := &c.def.Triggers[i]
		pointer := fmt.Sprintf("/triggers/%d", i)
		if first, ok := seen[trigger.ID]; ok && trigger.ID != "" {
			c.error(pointer+"/id", "", "duplicate_id", "The trigger id %q stands twice, first as trigger number %d; rename one.", trigger.ID, first+1)
		}
		seen[trigger.ID] = i
		c.graph.triggers[i] = c.template(trigger.Parameters, pointer+"/parameters", stepRules{trigger: true})
		if trigger.Type != "" {
			c.checkTriggerParameters(trigger, c.graph.triggers[i], pointer)
		}
	}
}

// checkTriggerParameters judges what a firing will start with, as far as it
// is literal.
func (c *compiler) checkTriggerParameters(trigger *Trigger, template *Template, pointer string) {
	open := map[string]bool{}
	for _, reference := range template.References() {
		name, _, _ := strings.Cut(strings.TrimPrefix(reference.Pointer, "/"), "/")
		open[name] = true
	}
	given := map[string]bool{}
	rawjson.Members(trigger.Parameters, func(name string, value []byte) bool {
		given[name] = true
		parameter := c.parameters[name]
		here := pointer + "/parameters/" + tree.Escape(name)
		switch {
		case parameter == nil:
			c.error(here, "", "unknown_parameter", "The workflow has no parameter %q%s", clip(name, 60), endSentence(didYouMean(c.suggest.nearest(name, c.parameterNames()))))
		case !open[tree.Escape(name)] && !parameter.broken:
			for _, problem := range parameter.check(value, here, fmt.Sprintf("The parameter %q", name), true) {
				c.report(problem)
			}
		}
		return true
	})
	for i := range c.def.Parameters {
		parameter := &c.def.Parameters[i]
		if parameter.mustBeSent() && !given[parameter.Name] {
			c.error(pointer, "", "missing_parameter", "The trigger gives no value for the required parameter %q, so it could start nothing; add it to the trigger's parameters.", parameter.Name)
		}
	}
}

func (c *compiler) parameterNames() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range c.def.Parameters {
			if !yield(c.def.Parameters[i].Name) {
				return
			}
		}
	}
}
