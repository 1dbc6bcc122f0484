package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type bumpConfig struct {
	VersionFile   string `json:"version_file" title:"Version file" description:"File that holds the version: the bare version, __version__ = \"…\", version = \"…\" (TOML) or \"version\": \"…\" (JSON). The rest of it stays as it is." required:"true" min_length:"1" example:"VERSION"`
	IncrementType string `json:"increment_type" title:"Increment" description:"Four-part versions: patch raises the fourth number, minor and feature the third, feature_set the second, major the first. Three-part versions: patch, minor (or feature) and major as in SemVer. build raises +N." default:"patch" enum:"patch,minor,major,feature,feature_set,build"`
	ResetBuild    bool   `json:"reset_build" title:"Reset build" description:"Drop +N when any other number is raised." default:"true"`
}

type bumpOutput struct {
	OldVersion  string `json:"old_version" title:"Old version" description:"The version before."`
	NewVersion  string `json:"new_version" title:"New version" description:"The version now."`
	VersionFile string `json:"version_file" title:"Version file" description:"The file that holds it."`
}

type bumper struct{}

func bumpHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "release.version_bump", Name: "Bump version", Category: category, Icon: "arrow-up-1-0",
		Description: "Raises the version in a file and leaves the rest of the file as it is. Its undo restores the file.",
		Effect:      pluginsdk.EffectReconcilable,
		Example:     example(map[string]any{"version_file": "VERSION", "increment_type": "patch"}),
	}, bumper{})
}

// prepare computes the edit without making it.
func (bumper) prepare(step *pluginsdk.Step, config bumpConfig) (fileedit.Edit, bumpOutput, error) {
	output := bumpOutput{VersionFile: config.VersionFile}
	data, isThere, err := fileedit.ReadFile(step, "/version_file", config.VersionFile)
	if err != nil {
		return fileedit.Edit{}, output, err
	}
	if !isThere {
		return fileedit.Edit{}, output, pluginsdk.Errorf("the version file %s is not there; make it with a first version, such as 0.1.0", config.VersionFile)
	}
	place, err := findVersion(config.VersionFile, data)
	if err != nil {
		return fileedit.Edit{}, output, pluginsdk.Errorf("no version found in %s: %w", config.VersionFile, err)
	}
	current, err := parseVersion(place.text(data))
	if err != nil {
		return fileedit.Edit{}, output, pluginsdk.Errorf("the version in %s can't be raised: %w", config.VersionFile, err)
	}
	next, err := current.bump(config.IncrementType, config.ResetBuild)
	if err != nil {
		return fileedit.Edit{}, output, pluginsdk.Invalid("/increment_type", err.Error())
	}
	output.OldVersion, output.NewVersion = current.String(), next.String()
	return fileedit.Edit{File: config.VersionFile, Before: data, After: place.replace(data, next.String())}, output, nil
}

// Execute raises the version, unless an earlier attempt did.
func (h bumper) Execute(ctx context.Context, step *pluginsdk.Step, config bumpConfig) (bumpOutput, error) {
	if done, verdict, err := alreadyDone(ctx, step, config, h); done || err != nil {
		return verdict.Output, err
	}
	change, output, err := h.prepare(step, config)
	if err != nil {
		return output, err
	}
	if err := fileedit.Apply(ctx, step, []fileedit.Edit{change}, output); err != nil {
		return output, err
	}
	step.Log.Info(fmt.Sprintf("%s → %s", output.OldVersion, output.NewVersion))
	return output, nil
}

// Plan shows the new version.
func (h bumper) Plan(_ context.Context, step *pluginsdk.Step, config bumpConfig) ([]pluginsdk.PlannedEffect, error) {
	change, output, err := h.prepare(step, config)
	if err != nil {
		return nil, err
	}
	return fileedit.Plan([]fileedit.Edit{change}, fmt.Sprintf("raise the version from %s to %s", output.OldVersion, output.NewVersion), true), nil
}

// Reconcile looks whether the file holds the new version.
func (bumper) Reconcile(_ context.Context, step *pluginsdk.Step, config bumpConfig) (pluginsdk.Reconciliation[bumpOutput], error) {
	return fileedit.Reconcile[bumpOutput](step, []string{config.VersionFile})
}

// Undo restores the file.
func (bumper) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	return fileedit.Undo(step, token)
}

// alreadyDone asks whether an earlier attempt at the step did all of it.
func alreadyDone[C, O any](ctx context.Context, step *pluginsdk.Step, config C, reconciler pluginsdk.Reconciler[C, O]) (bool, pluginsdk.Reconciliation[O], error) {
	if len(step.Request().Checkpoint) == 0 {
		return false, pluginsdk.Reconciliation[O]{}, nil
	}
	verdict, err := reconciler.Reconcile(ctx, step, config)
	return verdict.Status == pluginsdk.ReconcileDone, verdict, err
}
