package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

// findingsFile is where the handlers of one review leave what they found, each
// under its own key.
const findingsFile = "kanban_review_findings.json"

// maxListed bounds how many findings of one kind are told; the rest are
// counted.
const maxListed = 2000

// writing lets one step of this process at a time change the findings of a
// workspace; lockFolder does so for other processes.
var writing sync.Mutex

// keep adds findings to the file under a key; what other steps wrote stays.
func keep(ctx context.Context, step *pluginsdk.Step, key string, findings any) (err error) {
	writing.Lock()
	defer writing.Unlock()
	unlock, err := lockFolder(ctx, step.Workspace.Dir())
	if err != nil {
		return fmt.Errorf("wait for other steps that write %s: %w", findingsFile, err)
	}
	defer unlock()
	after, _, err := merged(step, key, findings)
	if err != nil {
		return err
	}
	return step.Workspace.WriteFile(findingsFile, after, 0o644)
}

// merged is the file with findings under a key, and as it is.
func merged(step *pluginsdk.Step, key string, findings any) (after, before []byte, err error) {
	before, isThere, err := fileedit.ReadFile(step, "", findingsFile)
	if err != nil {
		return nil, nil, err
	}
	all := map[string]json.RawMessage{}
	if isThere && len(bytes.TrimSpace(before)) > 0 {
		if err := json.Unmarshal(before, &all); err != nil {
			return nil, nil, pluginsdk.Errorf("%s is not a JSON object, so nothing can be added to it: %w; remove the file and run the review again", findingsFile, err)
		}
	}
	if all[key], err = json.Marshal(findings); err != nil {
		return nil, nil, fmt.Errorf("write the findings as JSON: %w", err)
	}
	after, err = json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, nil, fmt.Errorf("write the findings as JSON: %w", err)
	}
	return append(after, '\n'), before, nil
}

// planned says that a check writes its findings, and nothing else.
func planned(key string) []pluginsdk.PlannedEffect {
	return []pluginsdk.PlannedEffect{{
		Action: "update", Target: findingsFile, Summary: "write the findings under the key " + key, Known: true,
	}}
}

// found reads the findings under a key: those of this run, else those in the
// file. It reports whether there are any.
func found(step *pluginsdk.Step, key string, target any) (bool, error) {
	if isThere, err := step.NearestOutput(key, target); isThere && err == nil {
		return true, nil
	}
	data, isThere, err := fileedit.ReadFile(step, "", findingsFile)
	if err != nil || !isThere {
		return false, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return false, pluginsdk.Errorf("%s can't be read: %w", findingsFile, err)
	}
	raw, ok := all[key]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, target); err != nil {
		return false, pluginsdk.Errorf("%s: the value of %s can't be read: %w", findingsFile, key, err)
	}
	return true, nil
}

// listed bounds a list of findings; it is never nil.
func listed[F any](findings []F) (kept []F, leftOut int) {
	if findings == nil {
		return []F{}, 0
	}
	if len(findings) > maxListed {
		return findings[:maxListed], len(findings) - maxListed
	}
	return findings, 0
}
