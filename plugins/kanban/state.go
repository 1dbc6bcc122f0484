package main

import (
	"context"
	"strings"
	"unicode"

	"github.com/vwmp/vwmp/pluginsdk"
)

type stateConfig struct {
	RootConfig
	IncludeMetrics bool `json:"include_metrics" title:"Include metrics" description:"Also count tasks, stories, lines and words." default:"true"`
	IncludeStories bool `json:"include_stories" title:"Include stories" description:"List the stories beside the epics." default:"true"`
}

type documentState struct {
	File         string            `json:"file" title:"File" description:"The document."`
	Type         string            `json:"type" title:"Type" description:"epic or story."`
	ID           string            `json:"id" title:"Id" description:"What it is about, such as Epic 21 or E21:S03; empty where it names neither."`
	Title        string            `json:"title" title:"Title" description:"Its first heading."`
	Status       string            `json:"status" title:"Status" description:"Its status as written."`
	StatusKind   string            `json:"status_kind" title:"Kind of status" description:"The status as read: todo, in_progress, complete, blocked, dropped, or empty."`
	Priority     string            `json:"priority" title:"Priority" description:"Its priority as written."`
	Dates        map[string]string `json:"dates" title:"Dates" description:"Its dates (created, started, completed, due, last_updated) as YYYY-MM-DD."`
	TasksDone    *int              `json:"tasks_done,omitempty" title:"Tasks done" description:"Its boxes that are ticked; those of stories are not tasks."`
	TasksOpen    *int              `json:"tasks_open,omitempty" title:"Tasks open" description:"Its boxes that are not."`
	StoriesTotal *int              `json:"stories_total,omitempty" title:"Stories" description:"An epic's stories: those with a document, and those that it lists."`
	StoriesDone  *int              `json:"stories_done,omitempty" title:"Stories done" description:"Those that are complete."`
	Lines        *int              `json:"lines,omitempty" title:"Lines" description:"Its lines."`
	Words        *int              `json:"words,omitempty" title:"Words" description:"Its words."`
}

type stateSummary struct {
	Epics     int            `json:"epics" title:"Epics" description:"How many epics there are."`
	Stories   int            `json:"stories" title:"Stories" description:"How many stories there are."`
	ByStatus  map[string]int `json:"by_status" title:"By status" description:"How many documents are in each status; unknown for those that name none."`
	TasksDone int            `json:"tasks_done" title:"Tasks done" description:"Ticked tasks in all documents."`
	TasksOpen int            `json:"tasks_open" title:"Tasks open" description:"Open tasks in all documents."`
	Lines     int            `json:"lines" title:"Lines" description:"Lines of all documents."`
	Words     int            `json:"words" title:"Words" description:"Words of all documents."`
	LeftOut   int            `json:"left_out" title:"Left out" description:"Documents that are counted here and not listed, because there are too many."`
}

type stateReview struct {
	Documents []documentState `json:"documents" title:"Documents" description:"Each document's state."`
	Summary   stateSummary    `json:"summary" title:"Summary" description:"All documents together."`
}

type stateOutput struct {
	StateReview  stateReview `json:"state_review" title:"State" description:"The state of every document, and a summary."`
	FindingsFile string      `json:"findings_file" title:"Findings" description:"The file in which the findings are kept."`
}

type stateReviewer struct{}

func stateHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "kanban.review_state", Name: "Review state", Category: category, Icon: "clipboard-list",
		Description: "Reads every epic and story below the kanban folder: status, priority, dates, tasks, stories, length. The findings go to " + findingsFile + " under the key state_review.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"kanban_root": "kanban", "include_metrics": true}),
	}, stateReviewer{})
}

// Plan says what is written.
func (stateReviewer) Plan(context.Context, *pluginsdk.Step, stateConfig) ([]pluginsdk.PlannedEffect, error) { //nolint:unparam // Planners may fail; looking changes nothing, so this one has nothing to fail at.
	return planned("state_review"), nil
}

// Execute reads the documents and keeps the findings.
func (stateReviewer) Execute(ctx context.Context, step *pluginsdk.Step, config stateConfig) (stateOutput, error) {
	output := stateOutput{FindingsFile: findingsFile}
	t, err := config.read(ctx, step)
	if err != nil {
		return output, err
	}
	output.StateReview = t.state(config)
	s := output.StateReview.Summary
	step.Log.Info("read the documents", "epics", s.Epics, "stories", s.Stories)
	return output, keep(ctx, step, "state_review", output.StateReview)
}

func (t *tree) state(config stateConfig) stateReview {
	review := stateReview{Summary: stateSummary{ByStatus: map[string]int{}}}
	complete := t.completeStories()
	var documents []documentState
	for _, d := range t.documents {
		done, open := d.tasks()
		words := d.words()
		sum := &review.Summary
		sum.TasksDone += done
		sum.TasksOpen += open
		sum.Lines += len(d.lines)
		sum.Words += words
		state := d.state()
		sum.ByStatus[or(state.StatusKind, "unknown")]++
		if d.kind == kindStory {
			sum.Stories++
			if !config.IncludeStories {
				continue
			}
		} else {
			sum.Epics++
		}
		if config.IncludeMetrics {
			lines := len(d.lines)
			state.TasksDone, state.TasksOpen, state.Lines, state.Words = &done, &open, &lines, &words
			if d.kind == kindEpic {
				total, finished := t.countStories(d, complete)
				state.StoriesTotal, state.StoriesDone = &total, &finished
			}
		}
		documents = append(documents, state)
	}
	review.Documents, review.Summary.LeftOut = listed(documents)
	return review
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (d *document) state() documentState {
	state := documentState{File: d.file, Type: d.kind, Title: d.title, Dates: map[string]string{}}
	if d.id != (entityID{}) {
		state.ID = d.id.String()
	}
	state.Status, state.StatusKind = d.status()
	if f, ok := d.own("priority"); ok {
		state.Priority = f.value
	}
	for _, name := range append([]string{"last_updated"}, dateFields...) {
		if f, ok := d.own(name); ok && dateOf(f.value) != "" {
			state.Dates[name] = dateOf(f.value)
		}
	}
	return state
}

// tasks counts boxes; those that stand for a whole story or epic are not
// tasks.
func (d *document) tasks() (done, open int) {
	for _, box := range d.boxes {
		switch {
		case box.isVoid || (box.hasID && box.id.task == 0):
		case box.isDone:
			done++
		default:
			open++
		}
	}
	return done, open
}

func (d *document) words() int {
	words := 0
	for _, line := range d.lines {
		for word := range strings.FieldsSeq(line) {
			if strings.IndexFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0 {
				words++
			}
		}
	}
	return words
}

// completeStories says of each story whether it is complete: by its own
// document, else by what any other says.
func (t *tree) completeStories() map[entityID]bool {
	own, others := map[entityID]bool{}, map[entityID]bool{}
	for _, d := range t.documents {
		for id, said := range d.statuses() {
			if id.story == 0 {
				continue
			}
			for _, s := range said {
				target := others
				if s.isOwn {
					target = own
				}
				if was, ok := target[id]; !ok || was {
					target[id] = s.status == statusComplete
				}
			}
		}
	}
	for id, isComplete := range own {
		others[id] = isComplete
	}
	return others
}

// listedStories are those that an epic's document names in a box, a row, a
// list or a heading.
func (d *document) listedStories() map[entityID]int {
	named := map[entityID]int{}
	note := func(id entityID, line int) {
		if _, ok := named[id]; !ok && id.epic == d.id.epic && id.story != 0 && id.task == 0 {
			named[id] = line
		}
	}
	for id, said := range d.statuses() {
		note(id, said[0].line)
	}
	for _, box := range d.boxes {
		if box.hasID {
			note(box.id, box.line)
		}
	}
	for _, s := range d.sections {
		if id, ok := idOf(s.title, d.id.epic); ok && s.level > 1 {
			note(id, s.line)
		}
	}
	return named
}

func (t *tree) countStories(d *document, complete map[entityID]bool) (total, done int) {
	all := map[entityID]bool{}
	for id := range d.listedStories() {
		all[id] = true
	}
	for _, id := range t.storiesOf(d.id.epic) {
		all[id] = true
	}
	for id := range all {
		if complete[id] {
			done++
		}
	}
	return len(all), done
}
