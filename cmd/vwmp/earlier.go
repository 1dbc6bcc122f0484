package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine/workflow/earlier"
	"github.com/vwmp/vwmp/pluginsdk"
)

// earlierStore returns the one argument that is a store folder of the
// earlier Python platform, or "".
func earlierStore(args []string) (string, error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() || !earlier.IsStore(os.DirFS(arg)) {
			continue
		}
		if len(args) > 1 {
			return "", usageError("%s is a store of the earlier platform; import it by itself", arg)
		}
		return arg, nil
	}
	return "", nil
}

func importStore(cmd *cobra.Command, where *target, id, folder string, overwrite, dryRun bool) error {
	if id != "" {
		return usageError("--id fits a single workflow, not a store")
	}
	c, err := where.connect(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	return (&earlierImport{cmd: cmd, client: c, overwrite: overwrite, dryRun: dryRun}).run(folder)
}

// earlierImport brings a store folder in and tells of everything in it what
// became of it.
type earlierImport struct {
	cmd               *cobra.Command
	client            *client
	overwrite, dryRun bool

	workflows, revisions, drafts, leftOut, refused int
}

// judged is a revision as the server judges it.
type judged struct {
	Valid    bool                `json:"valid"`
	Problems []pluginsdk.Problem `json:"problems"`
}

func (i *earlierImport) say(format string, args ...any) {
	fmt.Fprintln(i.cmd.OutOrStdout(), printable(fmt.Sprintf(format, args...)))
}

func (i *earlierImport) run(folder string) error {
	store, err := earlier.Read(os.DirFS(folder))
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	for _, w := range store.Workflows {
		if err := i.workflow(w); err != nil {
			return fmt.Errorf("workflow %s: %w", w.ID, err)
		}
	}
	for _, finding := range store.LeftOut {
		i.leftOut++
		i.say("left out %s: %s", finding.File, finding.Message)
	}
	verb := "imported"
	if i.dryRun {
		verb = "would import"
	}
	i.say("%s %s with %s, of them %s; left out %d", verb, many(i.workflows, "workflow"), many(i.revisions, "revision"), many(i.drafts, "draft"), i.leftOut+i.refused)
	switch {
	case i.refused > 0:
		return &exitError{exitRefused, fmt.Errorf("%s left as it was, being there already; add the revisions with --overwrite", many(i.refused, "workflow"))}
	case i.leftOut > 0:
		return fmt.Errorf("not everything in %s could be imported; see what was left out above", folder)
	}
	return nil
}

func (i *earlierImport) workflow(w earlier.Workflow) error {
	texts, notes := make([][]byte, len(w.Revisions)), make([][]string, len(w.Revisions))
	for n, revision := range w.Revisions {
		texts[n], notes[n] = earlier.Translate(revision.Text)
	}
	present, err := i.present(w.ID)
	switch {
	case err != nil:
		return err
	case present != nil && string(present) == string(texts[len(texts)-1]):
		i.say("%s (%s) is there already with the same text", w.ID, w.Name)
		return nil
	case present != nil && !i.overwrite:
		i.refused++
		i.say("left out %s (%s): it is there already", w.ID, w.Name)
		return nil
	}
	kept := 0
	for n, revision := range w.Revisions {
		result, err := i.revision(w, revision, texts[n], present != nil || kept > 0)
		var refused *problem
		if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusUnauthorized && refused.Status != http.StatusForbidden {
			i.leftOut++
			i.say("left out %s: %s", revision.File, refused.Error())
			continue
		}
		if err != nil {
			return err
		}
		kept++
		i.tell(revision, notes[n], result)
	}
	if kept > 0 {
		i.workflows++
		i.revisions += kept
		i.say("%s (%s): %s", w.ID, w.Name, many(kept, "revision"))
	}
	return nil
}

// tell says what is not as it was.
func (i *earlierImport) tell(revision earlier.Revision, notes []string, result judged) {
	for _, note := range notes {
		i.say("%s: %s", revision.File, note)
	}
	if result.Valid {
		return
	}
	i.drafts++
	i.say("%s is a draft: it has %s", revision.File, many(len(result.Problems), "problem"))
	for _, p := range result.Problems {
		at := p.Pointer
		if at == "" && p.Line > 0 {
			at = fmt.Sprintf("line %d", p.Line)
		}
		i.say("  %s: %s", cmp.Or(at, "whole document"), p.Message)
	}
}

// present is the newest text that is stored under an id, or nil.
func (i *earlierImport) present(id string) ([]byte, error) {
	var list struct {
		Versions []struct {
			Revision int `json:"revision"`
		} `json:"versions"`
	}
	err := i.client.call(i.cmd.Context(), http.MethodGet, versionsPath(id), url.Values{"limit": {"1"}}, nil, &list)
	var exit *exitError
	if errors.As(err, &exit) && exit.code == exitMissing || err == nil && len(list.Versions) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var newest struct {
		Text string `json:"text"`
	}
	err = i.client.call(i.cmd.Context(), http.MethodGet, fmt.Sprintf("%s%d/", versionsPath(id), list.Versions[0].Revision), nil, nil, &newest)
	return append([]byte{}, newest.Text...), err
}

// revision sends one revision, or has it only judged.
func (i *earlierImport) revision(w earlier.Workflow, revision earlier.Revision, text []byte, present bool) (judged, error) {
	if i.dryRun {
		var answer struct {
			Valid  bool                `json:"valid"`
			Errors []pluginsdk.Problem `json:"errors"`
		}
		err := send(i.cmd, i.client, http.MethodPost, "/workflows/validate/", nil, text, &answer)
		return judged{answer.Valid, answer.Errors}, err
	}
	message := revision.Message
	if message == "" {
		message = "Imported from " + revision.File
	}
	if revision.Author != "" {
		message += " (by " + revision.Author + ")"
	}
	query := url.Values{
		"id": {w.ID}, "draft": {"true"}, "overwrite": {fmt.Sprint(present)}, "name": {clipped(w.Name, 200)},
		"message": {clipped(message, 500)}, "saved_at": {revision.SavedAt.Format(time.RFC3339Nano)},
	}
	var answer struct {
		Workflow judged `json:"workflow"`
	}
	err := send(i.cmd, i.client, http.MethodPost, "/workflows/import/", query, text, &answer)
	return answer.Workflow, err
}

// many counts things in words.
func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// clipped is at most so many characters of a text.
func clipped(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
