package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type tagConfig struct {
	TagTemplate     string            `json:"tag_template" title:"Tag" description:"Name of the tag. Placeholders: {version}, {type}." default:"v{version}" min_length:"1"`
	MessageTemplate string            `json:"message_template" title:"Message" description:"Message of an annotated tag. Placeholders: {tag}, {version}, {summary}, {type}." default:"Release {tag}: {summary}" multiline:"true"`
	Annotated       bool              `json:"annotated" title:"Annotated" description:"Make a tag with message, author and date; otherwise a mere name for the commit." default:"true"`
	SignTag         bool              `json:"sign_tag" title:"Sign the tag" description:"Sign the tag; a signed tag is annotated."`
	Force           bool              `json:"force" title:"Move an existing tag" description:"Move the tag if it exists; otherwise an existing tag is a failure."`
	Values          map[string]string `json:"values" title:"Placeholder values" description:"Values of placeholders; they go before what the run holds." example:"{\"version\": \"1.2.3\"}"`
	Directory       string            `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type tagOutput struct {
	TagName    string `json:"tag_name" title:"Tag" description:"Name of the tag."`
	TagMessage string `json:"tag_message" title:"Message" description:"Message of the tag; empty for one that is not annotated."`
}

// tagRecord is both checkpoint and, with the object, undo token.
type tagRecord struct {
	Directory string `json:"directory"`
	Tag       string `json:"tag"`
	Message   string `json:"message,omitempty"`
	// Target is the tagged commit.
	Target string `json:"target"`
	// Previous is what the tag pointed at before, "" where it was not there.
	Previous string `json:"previous,omitempty"`
	// Object is what the tag points at since.
	Object string `json:"object,omitempty"`
}

func (t tagRecord) ref() string { return "refs/tags/" + t.Tag }

type tagger struct{}

func tagHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.create_tag", Name: "Create tag", Category: category, Icon: "tag",
		Description: "Tags the current commit. It fails when the tag exists, and its undo deletes the tag.",
		Effect:      pluginsdk.EffectReconcilable,
		Example:     example(map[string]any{"tag_template": "v{version}", "values": map[string]string{"version": "1.2.3", "summary": "Faster start"}}),
	}, tagger{})
}

// ValidateConfig says which settings contradict each other.
func (tagger) ValidateConfig(_ context.Context, config tagConfig) []pluginsdk.Problem {
	return problemsOf(config.check())
}

func (c tagConfig) check() error {
	if c.SignTag && !c.Annotated {
		return pluginsdk.Invalid("/sign_tag", "a signed tag is annotated: switch annotated on, or sign_tag off")
	}
	return nil
}

// text expands both templates.
func (c tagConfig) text(step *pluginsdk.Step) (name, message string, err error) {
	if name, err = (placeholders{step, c.Values}).expand("/tag_template", c.TagTemplate); err != nil {
		return "", "", err
	}
	if err := checkRef("/tag_template", name); err != nil {
		return "", "", err
	}
	if !c.Annotated {
		return name, "", nil
	}
	message, err = placeholders{step, withTag(c.Values, name)}.expand("/message_template", c.MessageTemplate)
	if err == nil && strings.TrimSpace(message) == "" {
		err = pluginsdk.Invalid("/message_template", "the message of an annotated tag is empty")
	}
	return name, strings.TrimSpace(message), err
}

func withTag(values map[string]string, tag string) map[string]string {
	all := map[string]string{"tag": tag}
	for name, value := range values {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// Execute makes the tag, unless an earlier attempt did.
func (h tagger) Execute(ctx context.Context, step *pluginsdk.Step, config tagConfig) (tagOutput, error) {
	repo, record, err := h.prepare(ctx, step, config)
	if err != nil {
		return tagOutput{}, err
	}
	if len(step.Request().Checkpoint) > 0 {
		verdict, err := h.Reconcile(ctx, step, config)
		if err != nil || verdict.Status == pluginsdk.ReconcileDone {
			return verdict.Output, err
		}
	}
	if record.Previous != "" && !config.Force {
		return tagOutput{}, pluginsdk.Errorf("the tag %s exists already (%s); choose another name, or set force to move it", record.Tag, record.Previous).
			WithCode("TAG_EXISTS")
	}
	effect := pluginsdk.EffectRecord{Action: "create", Target: record.ref()}
	if err := step.Checkpoint(record); err != nil {
		return tagOutput{}, err
	}
	if err := step.Effect(effect); err != nil {
		return tagOutput{}, err
	}
	if err := repo.tag(ctx, config, record); err != nil {
		return tagOutput{}, err
	}
	if record.Object, err = repo.revision(ctx, record.ref()); err != nil {
		return tagOutput{}, err
	}
	effect.Done, effect.ExternalID = true, record.Object
	if err := step.Effect(effect); err != nil {
		return tagOutput{}, err
	}
	step.Log.Info("tagged "+record.Target+" as "+record.Tag, "tag", record.Tag)
	return tagOutput{TagName: record.Tag, TagMessage: record.Message}, step.SetUndo(record)
}

// prepare notes what the tag is going to be, and what is there now.
func (tagger) prepare(ctx context.Context, step *pluginsdk.Step, config tagConfig) (*repository, tagRecord, error) {
	record := tagRecord{Directory: config.Directory}
	err := config.check()
	if err != nil {
		return nil, record, err
	}
	if record.Tag, record.Message, err = config.text(step); err != nil {
		return nil, record, err
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return nil, record, err
	}
	if _, err := repo.read(ctx, "check-ref-format", record.ref()); err != nil {
		return nil, record, pluginsdk.Invalid("/tag_template", fmt.Sprintf("%q is not a name that git allows for a tag", record.Tag))
	}
	if record.Target, err = repo.revision(ctx, "HEAD^{commit}"); err != nil {
		return nil, record, err
	}
	if record.Target == "" {
		return nil, record, pluginsdk.Errorf("there is no commit to tag yet")
	}
	record.Previous, err = repo.revision(ctx, record.ref())
	return repo, record, err
}

func (r *repository) tag(ctx context.Context, config tagConfig, record tagRecord) error {
	args := []string{"tag"}
	switch {
	case config.SignTag:
		args = append(args, "--sign", "--cleanup=whitespace", "--file=-")
	case config.Annotated:
		args = append(args, "--annotate", "--cleanup=whitespace", "--file=-")
	default:
		args = append(args, "--no-sign")
	}
	if config.Force {
		args = append(args, "--force")
	}
	args = append(args, "--end-of-options", record.Tag, record.Target)
	_, err := r.run(ctx, command{args: args, stdin: record.Message, live: true})
	return err
}

// Plan names the tag, as far as it is known.
func (tagger) Plan(ctx context.Context, step *pluginsdk.Step, config tagConfig) ([]pluginsdk.PlannedEffect, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	name, known, err := placeholders{step, config.Values}.preview("/tag_template", config.TagTemplate)
	if err != nil {
		return nil, err
	}
	effect := pluginsdk.PlannedEffect{Action: "create", Target: "refs/tags/" + name, Summary: "tag the newest commit as " + name, Known: known}
	if config.Annotated {
		message, messageKnown, err := placeholders{step, withTag(config.Values, name)}.preview("/message_template", config.MessageTemplate)
		if err != nil {
			return nil, err
		}
		effect.Summary += fmt.Sprintf(" with the message %q", message)
		effect.Known = known && messageKnown
	}
	if !known {
		return []pluginsdk.PlannedEffect{effect}, nil
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return nil, err
	}
	previous, err := repo.revision(ctx, "refs/tags/"+name)
	if err != nil {
		return nil, err
	}
	if previous != "" {
		if !config.Force {
			return nil, pluginsdk.Errorf("the tag %s exists already (%s)", name, previous).WithCode("TAG_EXISTS")
		}
		effect.Action = "update"
	}
	return []pluginsdk.PlannedEffect{effect}, nil
}

// Reconcile looks at the tag that the attempt was to make.
func (h tagger) Reconcile(ctx context.Context, step *pluginsdk.Step, config tagConfig) (pluginsdk.Reconciliation[tagOutput], error) {
	var verdict pluginsdk.Reconciliation[tagOutput]
	repo, record, err := h.prepare(ctx, step, config)
	if err != nil {
		return verdict, err
	}
	current := record.Previous
	var before tagRecord
	hasCheckpoint, err := step.Checkpointed(&before)
	if err != nil {
		return verdict, fmt.Errorf("read the checkpoint: %w", err)
	}
	if hasCheckpoint {
		record = before
		if current, err = repo.revision(ctx, record.ref()); err != nil {
			return verdict, err
		}
	} else {
		record.Previous = ""
	}
	isOurs, err := repo.tagMatches(ctx, record, config.Annotated)
	switch {
	case err != nil:
		return verdict, err
	case current == "" || (hasCheckpoint && current == record.Previous):
		verdict.Status, verdict.Detail = pluginsdk.ReconcileNotStarted, fmt.Sprintf("the tag %s is as it was before", record.Tag)
	case isOurs:
		record.Object = current
		verdict.Status, verdict.Detail = pluginsdk.ReconcileDone, fmt.Sprintf("the tag %s points at %s as meant", record.Tag, record.Target)
		verdict.Output = tagOutput{TagName: record.Tag, TagMessage: record.Message}
		return verdict, step.SetUndo(record)
	default:
		verdict.Status, verdict.Detail = pluginsdk.ReconcileUnknown, fmt.Sprintf("the tag %s exists, but not as the attempt meant it", record.Tag)
	}
	return verdict, nil
}

// tagMatches reports whether the tag is there as the record has it.
func (r *repository) tagMatches(ctx context.Context, record tagRecord, isAnnotated bool) (bool, error) {
	target, err := r.revision(ctx, record.ref()+"^{commit}")
	if err != nil || target != record.Target {
		return false, err
	}
	text, err := r.read(ctx, "for-each-ref", "--count=1", "--format=%(objecttype)%00%(contents)", record.ref())
	if err != nil {
		return false, err
	}
	kind, contents, _ := strings.Cut(text, "\x00")
	if !isAnnotated {
		return kind == "commit", nil
	}
	// A signature follows the message.
	return kind == "tag" && strings.HasPrefix(contents, record.Message), nil
}

// Undo deletes the tag, or puts it back where force took it from.
func (tagger) Undo(ctx context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	var record tagRecord
	if err := json.Unmarshal(token, &record); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	repo, err := openRepository(ctx, step, record.Directory)
	if err != nil {
		return err
	}
	current, err := repo.revision(ctx, record.ref())
	if err != nil || current == record.Previous {
		return err
	}
	if current != record.Object {
		return pluginsdk.Errorf("the tag %s can't be undone: it points at %s since", record.Tag, current)
	}
	args := []string{"update-ref", "-d", record.ref(), record.Object}
	if record.Previous != "" {
		args = []string{"update-ref", record.ref(), record.Previous, record.Object}
	}
	_, err = repo.run(ctx, command{args: args})
	return err
}
