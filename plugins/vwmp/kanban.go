package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type kanbanConfig struct {
	TaskIDs           []string          `json:"task_ids" title:"Tasks" description:"Ids of the tasks that are done, such as E01:S01:T001. Empty: those in the parameter task_ids, else in the summary, else in the changelog." example:"[\"E01:S01:T001\"]"`
	EpicDocPattern    string            `json:"epic_doc_pattern" title:"Epic document" description:"Where the epic's document is. {epic} is the number in the branch's name, with or without leading zeros; * and ** stand for parts of names and for folders." default:"**/Epic-{epic}.md" min_length:"1" example:"kanban/epics/Epic-{epic}.md"`
	StoryDocPattern   string            `json:"story_doc_pattern" title:"Story documents" description:"Where the stories' documents are. Empty: Story-*.md in the epic's folder and below, and in a folder stories beside it." example:"kanban/stories/**/Story-*.md"`
	KanbanBoard       string            `json:"kanban_board" title:"Kanban board" description:"An overview document in which tasks, stories and the epic are ticked, too." example:"kanban/board.md"`
	UpdateStories     bool              `json:"update_stories" title:"Update stories" description:"Also tick tasks in story documents, and complete stories whose tasks are all done." default:"true"`
	UpdateLastUpdated bool              `json:"update_last_updated" title:"Update the date" description:"Set the field “Last updated” of documents that change." default:"true"`
	Values            map[string]string `json:"values" title:"Placeholder values" description:"version and summary, where they do not come from earlier steps and the parameters." example:"{\"version\": \"1.2.3\"}"`
}

type kanbanOutput struct {
	EpicDoc          string   `json:"epic_doc" title:"Epic document" description:"The epic's document."`
	TasksUpdated     int      `json:"tasks_updated" title:"Tasks updated" description:"How many tasks were ticked."`
	Version          string   `json:"version" title:"Version" description:"The version they were ticked with."`
	StoriesCompleted []string `json:"stories_completed" title:"Stories completed" description:"Stories that this completed."`
	EpicCompleted    bool     `json:"epic_completed" title:"Epic completed" description:"True if this completed the epic."`
	TasksMissing     []string `json:"tasks_missing" title:"Tasks missing" description:"Tasks that no document has."`
	Files            []string `json:"files" title:"Files" description:"The documents that changed."`
}

var (
	epicBranch = regexp.MustCompile(`(?i)(?:^|/)epic[/_-]?(\d{1,6})(?:$|[^\d])`)
	epicInPath = regexp.MustCompile(`(?i)epic[ _-]?(\d{1,6})[^/]*/`)
	// safeVersion is a version that can't change a document's structure.
	safeVersion = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]*$`)
	codeBranch  = regexp.MustCompile(`(?i)(?:^|[/_-])E(\d{1,6})(?:[:_-]?S\d+)?(?:[:_-]?T\d+)?(?:$|[/:_-])`)
)

type kanbanUpdater struct{ now func() time.Time }

func kanbanHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "vwmp.kanban_update", Name: "Update kanban documents", Category: "Documentation", Icon: "square-kanban",
		Description: "Ticks the run's tasks in epic and story documents, and completes stories and the epic when nothing is left to do. Without an epic in the branch's name, or without its document, the step is skipped. Its undo restores the documents.",
		Effect:      pluginsdk.EffectReconcilable,
		Example: example(map[string]any{"task_ids": []string{"E01:S01:T001"}, "epic_doc_pattern": "kanban/epics/Epic-{epic}.md",
			"values": map[string]string{"version": "1.2.3", "summary": "Faster start"}}),
	}, kanbanUpdater{time.Now})
}

// board is all the documents that one update looks at.
type board struct {
	epicNumber int
	epic       *document
	stories    []*document
	overview   *document
}

func (b *board) all() []*document {
	docs := append([]*document{b.epic}, b.stories...)
	if b.overview != nil {
		docs = append(docs, b.overview)
	}
	return docs
}

// open finds and reads the documents, or ends in a skip that says what is
// not there.
func (c kanbanConfig) open(ctx context.Context, step *pluginsdk.Step) (*board, error) {
	branch, err := currentBranch(ctx, step)
	if err != nil {
		return nil, err
	}
	match := epicBranch.FindStringSubmatch(branch)
	if match == nil {
		match = codeBranch.FindStringSubmatch(branch)
	}
	if match == nil {
		return nil, pluginsdk.Skip(fmt.Sprintf("the branch %q names no epic, as epic/21-workflow-platform would", branch))
	}
	b := &board{epicNumber: numberOf(match[1])}
	file, err := c.findEpic(step, match[1])
	if err != nil {
		return nil, err
	}
	if b.epic, err = readDocument(step, file, b.epicNumber); err != nil {
		return nil, err
	}
	if c.UpdateStories {
		if b.stories, err = c.readStories(step, file, match[1], b.epicNumber); err != nil {
			return nil, err
		}
	}
	if c.KanbanBoard == "" {
		return b, nil
	}
	data, isThere, err := fileedit.ReadFile(step, "/kanban_board", c.KanbanBoard)
	switch {
	case err != nil:
		return nil, err
	case !isThere:
		step.Log.Warn("the kanban board " + c.KanbanBoard + " is not there")
	case c.KanbanBoard != file:
		b.overview = newDocument(c.KanbanBoard, b.epicNumber, data)
	}
	return b, nil
}

// findEpic tries the number as the branch has it, without leading zeros, and
// with them.
func (c kanbanConfig) findEpic(step *pluginsdk.Step, digits string) (string, error) {
	number := numberOf(digits)
	var tried []string
	for _, form := range []string{digits, strconv.Itoa(number), fmt.Sprintf("%02d", number), fmt.Sprintf("%03d", number)} {
		pattern := strings.ReplaceAll(c.EpicDocPattern, "{epic}", form)
		if slices.Contains(tried, pattern) {
			continue
		}
		tried = append(tried, pattern)
		found, err := glob(step, "/epic_doc_pattern", pattern)
		if err != nil {
			return "", err
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return "", pluginsdk.Invalid("/epic_doc_pattern", fmt.Sprintf("several documents match %s: %s; name one", pattern, strings.Join(found[:min(len(found), 5)], ", ")))
		}
	}
	return "", pluginsdk.Skip(fmt.Sprintf("there is no document %s of the epic", strings.Join(tried, " or ")))
}

func (c kanbanConfig) readStories(step *pluginsdk.Step, epicFile, digits string, epic int) ([]*document, error) {
	folder := path.Dir(epicFile)
	patterns := []string{path.Join(folder, "**/Story-*.md"), path.Join(path.Dir(folder), "stories/**/Story-*.md")}
	if c.StoryDocPattern != "" {
		patterns = []string{strings.ReplaceAll(c.StoryDocPattern, "{epic}", digits)}
	}
	var docs []*document
	seen := map[string]bool{epicFile: true, c.KanbanBoard: true}
	for _, pattern := range patterns {
		files, err := glob(step, "/story_doc_pattern", pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			doc, err := readDocument(step, file, epic)
			if err != nil {
				return nil, err
			}
			docs = append(docs, doc)
		}
	}
	return docs, nil
}

func glob(step *pluginsdk.Step, pointer, pattern string) ([]string, error) {
	if err := fileedit.CheckPath(pointer, pattern); err != nil {
		return nil, err
	}
	found, err := step.Workspace.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", pattern, err)
	}
	slices.Sort(found)
	return found, nil
}

func readDocument(step *pluginsdk.Step, file string, epic int) (*document, error) {
	data, isThere, err := fileedit.ReadFile(step, "", file)
	if err != nil {
		return nil, err
	}
	if !isThere {
		return nil, pluginsdk.Errorf("the document %s went away", file)
	}
	return newDocument(file, epic, data), nil
}

// tasks are the run's tasks: from the first of the config, the parameter, the
// summary and the changelog that names any.
func (c kanbanConfig) tasks(step *pluginsdk.Step, about facts) ([]taskID, error) {
	for i, text := range c.TaskIDs {
		if len(findTaskIDs(text)) == 0 {
			return nil, pluginsdk.Invalid(fmt.Sprintf("/task_ids/%d", i), fmt.Sprintf("%q is no task id, such as E01:S01:T001", text))
		}
	}
	parameter, err := parameterText(step)
	if err != nil {
		return nil, err
	}
	for _, text := range []string{strings.Join(c.TaskIDs, " "), parameter, about.summary} {
		if ids := findTaskIDs(text); len(ids) > 0 {
			return ids, nil
		}
	}
	file := step.Value("changelog_file", nil, []string{"changelog_file"}, nil)
	if file == "" {
		return nil, nil
	}
	data, _, err := fileedit.ReadFile(step, "", file)
	return findTaskIDs(string(data)), err
}

// parameterText reads task_ids as a text or as a list.
func parameterText(step *pluginsdk.Step) (string, error) {
	var raw json.RawMessage
	if found, err := step.Parameter("task_ids", &raw); err != nil || !found {
		return "", err
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, " "), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", pluginsdk.Errorf("the parameter task_ids must be a text or a list of texts: %w", err)
	}
	return text, nil
}

// prepare computes all edits without making them.
func (h kanbanUpdater) prepare(ctx context.Context, step *pluginsdk.Step, config kanbanConfig, about facts) ([]fileedit.Edit, kanbanOutput, error) {
	output := kanbanOutput{Version: about.version, StoriesCompleted: []string{}, TasksMissing: []string{}, Files: []string{}}
	b, err := config.open(ctx, step)
	if err != nil {
		return nil, output, err
	}
	output.EpicDoc = b.epic.file
	tasks, err := config.tasks(step, about)
	if err != nil {
		return nil, output, err
	}
	date := h.now().UTC().Format(time.DateOnly)
	stamp := date + " (v" + about.version + ")"
	b.tickTasks(tasks, about.version, &output)
	if output.TasksUpdated > 0 && config.UpdateStories {
		b.completeStories(tasks, about.version, stamp, &output)
		output.EpicCompleted = b.completeEpic(about.version, stamp)
	}
	var edits []fileedit.Edit
	for _, doc := range b.all() {
		if config.UpdateLastUpdated && doc.edit().Changes() {
			doc.touch(date, about)
		}
		if change := doc.edit(); change.Changes() {
			edits = append(edits, change)
			output.Files = append(output.Files, doc.file)
		}
	}
	return edits, output, nil
}

// touch sets the first "Last updated" of a document.
func (d *document) touch(date string, about facts) {
	line, _ := d.field(section{0, len(d.lines)}, "last updated")
	if line < 0 {
		return
	}
	value := date + " (v" + about.version
	if about.summary != "" {
		value += " – " + about.summary
	}
	d.setField(line, value+")")
}

func (b *board) tickTasks(tasks []taskID, version string, output *kanbanOutput) {
	ticked, present := map[taskID]bool{}, map[taskID]bool{}
	for _, doc := range b.all() {
		for _, e := range doc.entries() {
			if e.id.task == 0 || !slices.Contains(tasks, e.id) {
				continue
			}
			present[e.id] = true
			if !e.isDone {
				doc.tick(e, version)
				ticked[e.id] = true
			}
		}
	}
	output.TasksUpdated = len(ticked)
	for _, task := range tasks {
		if !present[task] {
			output.TasksMissing = append(output.TasksMissing, task.String())
		}
	}
}

// String writes the id in its long form.
func (id taskID) String() string {
	if id.task == 0 {
		return fmt.Sprintf("E%02d:S%02d", id.epic, id.story)
	}
	return fmt.Sprintf("E%02d:S%02d:T%03d", id.epic, id.story, id.task)
}

// openTasks counts the tasks of each story that are not done in some
// document; a story that has tasks at all is a key.
func (b *board) openTasks() map[taskID]int {
	open := map[taskID]int{}
	for _, doc := range b.all() {
		for _, e := range doc.entries() {
			if e.id.task == 0 {
				continue
			}
			story := e.id.ofStory()
			open[story] += 0
			if !e.isDone {
				open[story]++
			}
		}
	}
	return open
}

// completeStories completes the stories of the run's tasks in which nothing
// is left to do.
func (b *board) completeStories(tasks []taskID, version, stamp string, output *kanbanOutput) {
	open := b.openTasks()
	seen := map[taskID]bool{}
	for _, task := range tasks {
		story := task.ofStory()
		left, has := open[story]
		if seen[story] || !has || left > 0 {
			continue
		}
		seen[story] = true
		changed := false
		for _, doc := range b.all() {
			changed = doc.tickAll(story, version) || changed
		}
		for _, doc := range b.stories {
			if doc.isAbout(story) {
				changed = doc.complete(doc.head(), stamp) || changed
			}
		}
		changed = b.epic.completeSections(story, stamp) || changed
		if changed {
			output.StoriesCompleted = append(output.StoriesCompleted, story.String())
		}
	}
}

// tickAll ticks the entries of a story or epic.
func (d *document) tickAll(id taskID, version string) bool {
	changed := false
	for _, e := range d.entries() {
		if e.id == id && !e.isDone {
			d.tick(e, version)
			changed = true
		}
	}
	return changed
}

// isAbout reports whether a story document is the story's: its tasks are of
// no other story.
func (d *document) isAbout(story taskID) bool {
	found := false
	for _, e := range d.entries() {
		if e.id.task == 0 {
			continue
		}
		if e.id.ofStory() != story {
			return false
		}
		found = true
	}
	return found
}

func (d *document) completeSections(story taskID, stamp string) bool {
	changed := false
	for i := range d.storySections(story) {
		// Completing one section moves those below it.
		changed = d.complete(d.storySections(story)[i], stamp) || changed
	}
	return changed
}

// completeEpic completes the epic if all its stories are: those with entries,
// with tasks, and with documents of their own.
func (b *board) completeEpic(version, stamp string) bool {
	stories := 0
	for story, left := range b.openTasks() {
		if story.epic != b.epicNumber {
			continue
		}
		if left > 0 {
			return false
		}
		stories++
	}
	for _, e := range b.epic.entries() {
		if e.id.task != 0 || e.id.story == 0 || e.id.epic != b.epicNumber {
			continue
		}
		if !e.isDone {
			return false
		}
		stories++
	}
	for _, doc := range b.stories {
		if !doc.belongsTo(b.epicNumber) {
			continue
		}
		if line, value := doc.field(doc.head(), "status"); line >= 0 && !isComplete.MatchString(value) {
			return false
		}
	}
	if stories == 0 {
		return false
	}
	changed := b.epic.complete(b.epic.head(), stamp)
	if b.overview != nil {
		changed = b.overview.tickAll(taskID{epic: b.epicNumber}, version) || changed
	}
	return changed
}

// belongsTo reports whether a story document has tasks of the epic or, where
// it has none, whether it is in a folder named for it.
func (d *document) belongsTo(epic int) bool {
	for _, e := range d.entries() {
		if e.id.task != 0 {
			return e.id.epic == epic
		}
	}
	match := epicInPath.FindStringSubmatch(d.file)
	return match != nil && numberOf(match[1]) == epic
}

// Execute updates the documents, unless an earlier attempt did.
func (h kanbanUpdater) Execute(ctx context.Context, step *pluginsdk.Step, config kanbanConfig) (kanbanOutput, error) {
	if len(step.Request().Checkpoint) > 0 {
		verdict, err := h.Reconcile(ctx, step, config)
		if err != nil || verdict.Status == pluginsdk.ReconcileDone {
			return verdict.Output, err
		}
	}
	about := findFacts(step, config.Values)
	if about.version == "" {
		return kanbanOutput{}, pluginsdk.Invalid("/values/version", "{version} has no value: set it under values, or put a step before this one that outputs it")
	}
	if !safeVersion.MatchString(about.version) {
		return kanbanOutput{}, pluginsdk.Invalid("/values/version", fmt.Sprintf("%q is no version", about.version))
	}
	edits, output, err := h.prepare(ctx, step, config, about)
	if err != nil {
		return output, err
	}
	if len(output.TasksMissing) > 0 {
		step.Log.Warn("no document has the tasks " + strings.Join(output.TasksMissing, ", "))
	}
	if output.TasksUpdated == 0 {
		step.Log.Info("there is no task to tick")
	}
	return output, fileedit.Apply(ctx, step, edits, output)
}

// Plan shows the lines that would change.
func (h kanbanUpdater) Plan(ctx context.Context, step *pluginsdk.Step, config kanbanConfig) ([]pluginsdk.PlannedEffect, error) {
	about := findFacts(step, config.Values)
	known := about.version != ""
	if !known {
		about.version = "{version}"
	}
	edits, output, err := h.prepare(ctx, step, config, about)
	if isSkip(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return fileedit.Plan(edits, fmt.Sprintf("tick %d tasks with %s", output.TasksUpdated, about.version), known), nil
}

// Reconcile looks whether the documents are as the attempt meant them.
func (h kanbanUpdater) Reconcile(ctx context.Context, step *pluginsdk.Step, config kanbanConfig) (pluginsdk.Reconciliation[kanbanOutput], error) {
	if len(step.Request().Checkpoint) > 0 {
		return fileedit.Reconcile[kanbanOutput](step, nil)
	}
	b, err := config.open(ctx, step)
	if isSkip(err) {
		return pluginsdk.Reconciliation[kanbanOutput]{Status: pluginsdk.ReconcileNotStarted, Detail: err.Error()}, nil
	}
	if err != nil {
		return pluginsdk.Reconciliation[kanbanOutput]{}, err
	}
	var files []string
	for _, doc := range b.all() {
		files = append(files, doc.file)
	}
	return fileedit.Reconcile[kanbanOutput](step, files)
}

// Undo restores the documents.
func (kanbanUpdater) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	return fileedit.Undo(step, token)
}
