package host

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/pluginsdk"
)

func (s *Server) addCatalogue() {
	tags := []string{"catalogue"}
	registerPlain(s, huma.Operation{
		OperationID: "list-step-handlers", Method: http.MethodGet, Path: apiBase + "/step-handlers/", Tags: tags,
		Summary: "List the handlers that steps can have",
	}, s.listHandlers)
	register(s, huma.Operation{
		OperationID: "get-step-handler", Method: http.MethodGet, Path: apiBase + "/step-handlers/{path}/schema/", Tags: tags,
		Summary: "Get a handler with its schemas, an example and hints for forms",
		Responses: map[string]*huma.Response{"200": {Description: "The handler", Content: content(s.schemaOf(handlerDetail{}), typeJSON)},
			"304": {Description: "It is as the ETag says"}},
	}, s.getHandler)
	registerPlain(s, huma.Operation{
		OperationID: "list-workflow-types", Method: http.MethodGet, Path: apiBase + "/workflow-types/", Tags: tags,
		Summary: "List the workflow types that plugins declare",
	}, s.listTypes)
	register(s, huma.Operation{
		OperationID: "get-template", Method: http.MethodGet, Path: apiBase + "/workflow-types/{name}/templates/{template}/", Tags: tags,
		Summary: "Get a template's document, as JSON or YAML",
		Responses: map[string]*huma.Response{"200": {Description: "The document", Content: map[string]*huma.MediaType{
			typeJSON: {Schema: s.documentSchema()}, typeYAML: {Schema: &huma.Schema{Type: huma.TypeString}},
		}}},
	}, s.getTemplate)
	registerPlain(s, huma.Operation{
		OperationID: "list-workspaces", Method: http.MethodGet, Path: apiBase + "/workspaces/", Tags: tags, Summary: "List the folders that executions may touch",
	}, s.listWorkspaces)
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "get-stats", Method: http.MethodGet, Path: apiBase + "/stats/", Tags: []string{"server"}, Summary: "Get counts and durations, by day and by workflow",
			Parameters: []*huma.Param{query("days", huma.TypeInteger, "How many days, today included, from 1 to 365; 30")},
		},
		answers: map[int]any{http.StatusOK: counts{}}, serve: s.getStats,
	})
}

// HandlerSummary is a handler as lists show it. It is exported only so that
// the description sees the fields that handlerDetail takes over.
type HandlerSummary struct {
	Path          string                 `json:"path"`
	Name          string                 `json:"name"`
	Description   string                 `json:"description"`
	Category      string                 `json:"category"`
	Icon          string                 `json:"icon"`
	Tags          []string               `json:"tags" nullable:"false" doc:"Words by which somebody may look for it"`
	Plugin        string                 `json:"plugin"`
	PluginVersion string                 `json:"plugin_version"`
	WorkflowTypes []string               `json:"workflow_types" nullable:"false" doc:"Those that name it among their default steps; none is all"`
	ConfigSchema  json.RawMessage        `json:"config_schema"`
	OutputSchema  json.RawMessage        `json:"output_schema"`
	EffectClass   pluginsdk.EffectClass  `json:"effect_class"`
	Capabilities  pluginsdk.Capabilities `json:"capabilities"`
}

type handlerDetail struct {
	HandlerSummary
	ExampleConfig json.RawMessage `json:"example_config"`
	UIHints       json.RawMessage `json:"ui_hints"`
	// DefaultTimeout is in seconds.
	DefaultTimeout float64  `json:"default_timeout" doc:"Seconds; 0 leaves it to the host"`
	Secrets        []string `json:"secrets,omitempty"`
	Network        []string `json:"network,omitempty"`
}

type handlersInput struct {
	Category     string `query:"category"`
	WorkflowType string `query:"workflow_type" doc:"Only those that this type names, and those that no type names"`
	Query        string `query:"q" doc:"Looked for in path, name, description and tags, without regard to case"`
}

type handlerList struct {
	Handlers []HandlerSummary `json:"handlers" nullable:"false"`
	Next     string           `json:"next"`
}

type handlersOutput struct{ Body handlerList }

func (s *Server) listHandlers(ctx context.Context, in *handlersInput) (*handlersOutput, error) {
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	types := s.typesByHandler()
	list := handlerList{Handlers: []HandlerSummary{}}
	query := strings.ToLower(in.Query)
	for _, path := range s.Catalogue.HandlerPaths() {
		h, found := s.Catalogue.Handler(path)
		if !found || in.Category != "" && h.Info.Category != in.Category {
			continue
		}
		named := types[path]
		if in.WorkflowType != "" && len(named) > 0 && !slices.Contains(named, in.WorkflowType) {
			continue
		}
		if query != "" && !strings.Contains(strings.ToLower(strings.Join(append([]string{path, h.Info.Name, h.Info.Description}, h.Info.Tags...), "\n")), query) {
			continue
		}
		list.Handlers = append(list.Handlers, summaryOf(h, named))
	}
	return &handlersOutput{list}, nil
}

func summaryOf(h *workflow.Handler, types []string) HandlerSummary {
	info := h.Info
	if types == nil {
		types = []string{}
	}
	tags := info.Tags
	if tags == nil {
		tags = []string{}
	}
	return HandlerSummary{
		Path: info.Path, Name: cmp.Or(info.Name, info.Path), Description: info.Description, Category: info.Category, Icon: info.Icon, Tags: tags,
		Plugin: h.Plugin, PluginVersion: h.PluginVersion, WorkflowTypes: types, ConfigSchema: orNull(info.ConfigSchema),
		OutputSchema: orNull(info.OutputSchema), EffectClass: cmp.Or(info.Effect, pluginsdk.EffectUnsafe), Capabilities: info.Capabilities,
	}
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// typesByHandler lists the workflow types that name a handler.
func (s *Server) typesByHandler() map[string][]string {
	types := map[string][]string{}
	for _, name := range s.Catalogue.WorkflowTypes() {
		if kind, found := s.Catalogue.WorkflowType(name); found {
			for _, path := range kind.DefaultStepTypes {
				types[path] = append(types[path], name)
			}
		}
	}
	return types
}

type handlerInput struct {
	Path        string `path:"path"`
	IfNoneMatch string `header:"If-None-Match"`
}

type handlerOutput struct {
	Status      int
	ETag        string `header:"ETag"`
	ContentType string `header:"Content-Type" hidden:"true"`
	Body        []byte
}

func (s *Server) getHandler(ctx context.Context, in *handlerInput) (*handlerOutput, error) {
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	path, _ := pathValue(in.Path)
	h, found := s.Catalogue.Handler(path)
	if !found {
		return nil, problem.New(http.StatusNotFound, problem.HandlerNotFound, "no plugin has a handler of this path")
	}
	text, err := json.Marshal(handlerDetail{
		HandlerSummary: summaryOf(h, s.typesByHandler()[path]), ExampleConfig: orNull(h.Info.Example), UIHints: orNull(h.Info.UIHints),
		DefaultTimeout: h.Info.DefaultTimeout.Seconds(), Secrets: h.Info.Secrets, Network: h.Info.Network,
	})
	if err != nil {
		return nil, fmt.Errorf("write the handler %s: %w", path, err)
	}
	sum := sha256.Sum256(text)
	out := &handlerOutput{Status: http.StatusOK, ETag: `"` + hex.EncodeToString(sum[:8]) + `"`, ContentType: typeJSON, Body: text}
	if in.IfNoneMatch == out.ETag {
		out.Status, out.Body = http.StatusNotModified, []byte{}
	}
	return out, nil
}

type templateSummary struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

type typeSummary struct {
	Name             string            `json:"name"`
	DisplayName      string            `json:"display_name,omitempty"`
	Version          string            `json:"version"`
	Description      string            `json:"description"`
	Icon             string            `json:"icon"`
	Plugin           string            `json:"plugin"`
	ConfigSchema     json.RawMessage   `json:"config_schema"`
	DefaultStepTypes []string          `json:"default_step_types" nullable:"false"`
	Templates        []templateSummary `json:"templates" nullable:"false"`
}

type typeList struct {
	Types []typeSummary `json:"types" nullable:"false"`
	Next  string        `json:"next"`
}

type typesOutput struct{ Body typeList }

func (s *Server) listTypes(ctx context.Context, _ *struct{}) (*typesOutput, error) {
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	list := typeList{Types: []typeSummary{}}
	for _, name := range s.Catalogue.WorkflowTypes() {
		kind, found := s.Catalogue.WorkflowType(name)
		if !found {
			continue
		}
		one := typeSummary{
			Name: kind.Name, DisplayName: kind.DisplayName, Version: kind.Version, Description: kind.Description, Icon: kind.Icon,
			Plugin: s.Catalogue.PluginOfType(name), ConfigSchema: orNull(kind.ConfigSchema),
			DefaultStepTypes: append([]string{}, kind.DefaultStepTypes...), Templates: []templateSummary{},
		}
		for _, template := range kind.Templates {
			one.Templates = append(one.Templates, templateSummary{template.Name, template.Description})
		}
		list.Types = append(list.Types, one)
	}
	return &typesOutput{list}, nil
}

type templateInput struct {
	Name     string `path:"name"`
	Template string `path:"template"`
	Accept   string `header:"Accept" hidden:"true"`
}

func (s *Server) getTemplate(ctx context.Context, in *templateInput) (*textOutput, error) {
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	name, _ := pathValue(in.Name)
	wanted, _ := pathValue(in.Template)
	kind, found := s.Catalogue.WorkflowType(name)
	if !found {
		return nil, problem.New(http.StatusNotFound, problem.NotFound, "no plugin declares a workflow type of this name")
	}
	at := slices.IndexFunc(kind.Templates, func(t pluginsdk.Template) bool { return t.Name == wanted })
	if at < 0 {
		return nil, problem.New(http.StatusNotFound, problem.NotFound, "the workflow type has no template of this name")
	}
	out := &textOutput{ContentType: typeYAML, Vary: "Accept", Body: []byte(kind.Templates[at].Document)}
	if wantsYAML(in.Accept) {
		return out, nil
	}
	document, problems := workflow.Parse(out.Body, workflow.ParseOptions{Format: workflow.FormatYAML})
	if document == nil || problems.HasErrors() {
		return nil, fmt.Errorf("read the template %q of %s: %s", wanted, name, summary(problems))
	}
	out.ContentType, out.Body = typeJSON, document.Definition.JSON()
	return out, nil
}

type workspaceSummary struct {
	Name    string `json:"name"`
	Folder  string `json:"folder" doc:"The last part of its path"`
	Default bool   `json:"default"`
	// Git is nil for a folder that is not a repository.
	Git *gitSummary `json:"git,omitempty"`
}

type gitSummary struct {
	Branch   string `json:"branch,omitempty" doc:"Empty where no branch is checked out"`
	Detached bool   `json:"detached"`
	State    string `json:"state" enum:"normal,merging,rebasing,cherry_picking,reverting,bisecting" doc:"What git is in the middle of"`
}

type workspaceList struct {
	Workspaces []workspaceSummary `json:"workspaces" nullable:"false"`
	Next       string             `json:"next"`
}

type workspacesOutput struct{ Body workspaceList }

func (s *Server) listWorkspaces(context.Context, *struct{}) (*workspacesOutput, error) {
	list := workspaceList{}
	for i, workspace := range s.Workspaces {
		list.Workspaces = append(list.Workspaces, workspaceSummary{
			Name: workspace.Name, Folder: filepath.Base(workspace.Dir), Default: i == 0, Git: gitOf(workspace.Dir),
		})
	}
	return &workspacesOutput{list}, nil
}

// gitOf reads which branch a folder is on. A worktree's .git is a file that
// leads elsewhere, and is not followed.
func gitOf(dir string) *gitSummary {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer func() { _ = root.Close() }()
	// Whoever owns the folder may have put anything there.
	info, err := root.Lstat(".git/HEAD")
	if err != nil || !info.Mode().IsRegular() || info.Size() > 4096 {
		return nil
	}
	head, err := root.ReadFile(".git/HEAD")
	if err != nil {
		return nil
	}
	state := gitState(root)
	branch, named := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/")
	if !named {
		return &gitSummary{Detached: true, State: state}
	}
	return &gitSummary{Branch: branch, State: state}
}

// gitState says what git is in the middle of, by the files that it keeps
// meanwhile.
func gitState(root *os.Root) string {
	for _, mark := range [][2]string{
		{"rebase-merge", "rebasing"}, {"rebase-apply", "rebasing"}, {"MERGE_HEAD", "merging"},
		{"CHERRY_PICK_HEAD", "cherry_picking"}, {"REVERT_HEAD", "reverting"}, {"BISECT_LOG", "bisecting"},
	} {
		if _, err := root.Lstat(".git/" + mark[0]); err == nil {
			return mark[1]
		}
	}
	return "normal"
}
