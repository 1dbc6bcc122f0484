package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type bloatConfig struct {
	RootConfig
	BloatThreshold int  `json:"bloat_threshold" title:"Maximum lines" description:"A document with more lines than this, empty ones not counted, is too long." default:"500" minimum:"1"`
	WarnThreshold  int  `json:"warn_threshold" title:"Warn above" description:"A document with more lines than this is named as one that soon will be too long. 0: none is." default:"0" minimum:"0" example:"400"`
	CheckWordCount bool `json:"check_word_count" title:"Count words" description:"Also say how many words the documents have." default:"true"`
}

type longDocument struct {
	File        string `json:"file" title:"File" description:"The document."`
	Type        string `json:"type" title:"Type" description:"epic or story."`
	Lines       int    `json:"lines" title:"Lines" description:"Its lines, empty ones not counted."`
	Threshold   int    `json:"threshold" title:"Threshold" description:"How many it may have."`
	ExcessLines int    `json:"excess_lines" title:"Excess" description:"How many it has above that."`
	WordCount   *int   `json:"word_count,omitempty" title:"Words" description:"Its words."`
}

type bloatOutput struct {
	BloatedDocs  []longDocument `json:"bloated_docs" title:"Too long" description:"Documents that are too long."`
	WarnedDocs   []longDocument `json:"warned_docs" title:"Nearly too long" description:"Documents above the lower threshold."`
	LeftOut      int            `json:"left_out" title:"Left out" description:"Findings that are not listed, because there are too many."`
	FindingsFile string         `json:"findings_file" title:"Findings" description:"The file in which the findings are kept."`
}

type bloatChecker struct{}

func bloatHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "kanban.check_bloat", Name: "Check length", Category: category, Icon: "ruler",
		Description: "Names epics and stories that are too long to be read. The findings go to " + findingsFile + " under the key bloated_docs.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"kanban_root": "kanban", "bloat_threshold": 500, "warn_threshold": 400}),
	}, bloatChecker{})
}

// ValidateConfig says what the schema can't.
func (bloatChecker) ValidateConfig(_ context.Context, config bloatConfig) []pluginsdk.Problem {
	if config.WarnThreshold < config.BloatThreshold {
		return nil
	}
	return []pluginsdk.Problem{{
		Severity: pluginsdk.SeverityError, Pointer: "/warn_threshold", Code: "out_of_order",
		Message: fmt.Sprintf("Warn below the longest document: %d is not less than %d.", config.WarnThreshold, config.BloatThreshold),
	}}
}

// Plan says what is written.
func (bloatChecker) Plan(context.Context, *pluginsdk.Step, bloatConfig) ([]pluginsdk.PlannedEffect, error) { //nolint:unparam // Planners may fail; looking changes nothing, so this one has nothing to fail at.
	return planned("bloated_docs"), nil
}

// Execute measures the documents and keeps the findings.
func (bloatChecker) Execute(ctx context.Context, step *pluginsdk.Step, config bloatConfig) (bloatOutput, error) {
	output := bloatOutput{FindingsFile: findingsFile}
	t, err := config.read(ctx, step)
	if err != nil {
		return output, err
	}
	var bloated, warned []longDocument
	for _, d := range t.documents {
		long := longDocument{File: d.file, Type: d.kind, Threshold: config.BloatThreshold}
		for _, line := range d.lines {
			if strings.TrimSpace(line) != "" {
				long.Lines++
			}
		}
		if config.CheckWordCount {
			words := d.words()
			long.WordCount = &words
		}
		switch {
		case long.Lines > config.BloatThreshold:
			long.ExcessLines = long.Lines - config.BloatThreshold
			bloated = append(bloated, long)
		case config.WarnThreshold > 0 && long.Lines > config.WarnThreshold:
			long.Threshold, long.ExcessLines = config.WarnThreshold, long.Lines-config.WarnThreshold
			warned = append(warned, long)
		}
	}
	var more int
	output.BloatedDocs, output.LeftOut = listed(bloated)
	output.WarnedDocs, more = listed(warned)
	output.LeftOut += more
	step.Log.Info("measured the documents", "documents", len(t.documents), "too_long", len(bloated))
	return output, keep(ctx, step, "bloated_docs", output.BloatedDocs)
}
