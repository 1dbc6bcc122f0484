package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type cloneConfig struct {
	URL       string     `json:"url" title:"Address" description:"https or ssh address, or user@host:path. Credentials in it are used, but stored nowhere." required:"true" min_length:"1" example:"https://example.com/team/project.git"`
	Directory string     `json:"directory" title:"Folder" description:"Folder of the clone, relative to the workspace. Empty: the last part of the address." example:"project"`
	Branch    string     `json:"branch" title:"Branch" description:"Branch or tag to check out. Empty: the remote's own choice." example:"main"`
	Depth     int        `json:"depth" title:"Depth" description:"How many commits of history to fetch; 0 is all." default:"0" minimum:"0"`
	Auth      authConfig `json:"auth" title:"Sign-in" description:"Token for an https address; ssh signs in with keys."`
}

type cloneOutput struct {
	Directory  string `json:"directory" title:"Folder" description:"Folder of the clone, relative to the workspace."`
	URL        string `json:"url" title:"Address" description:"The address, without credentials."`
	Branch     string `json:"branch" title:"Branch" description:"The branch checked out; empty when detached."`
	CommitHash string `json:"commit_hash" title:"Commit" description:"The commit checked out; empty for an empty repository."`
}

type cloner struct{}

func cloneHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.clone", Name: "Clone", Category: category, Icon: "copy-plus",
		Description:  "Copies a remote repository into a folder of the workspace, without submodules. A clone of the same address that is there already is left as it is. Hooks of a clone never run.",
		Effect:       pluginsdk.EffectIdempotent,
		Example:      example(map[string]any{"url": "https://example.com/team/project.git", "directory": "project"}),
		DefaultRetry: networkRetry(),
		Network:      []string{"the address's host"},
	}, cloner{})
}

// ValidateConfig checks address and folder, as far as they are literal.
func (cloner) ValidateConfig(_ context.Context, config cloneConfig) []pluginsdk.Problem {
	_, _, err := config.target()
	return problemsOf(err)
}

// target returns the address without credentials, and the folder.
func (c cloneConfig) target() (clean, directory string, err error) {
	if err := checkAddress("/url", c.URL, false); err != nil {
		return "", "", err
	}
	if err := checkRef("/branch", c.Branch); err != nil {
		return "", "", err
	}
	clean, _ = splitCredentials(c.URL)
	directory = c.Directory
	if directory == "" {
		trimmed := strings.TrimSuffix(strings.TrimRight(clean, "/"), ".git")
		directory = trimmed[strings.LastIndexAny(trimmed, "/:")+1:]
	}
	if err := pluginsdk.CheckPath(directory); err != nil {
		return "", "", pluginsdk.Invalid("/directory", err.Error())
	}
	directory = path.Clean(directory)
	if directory == "." || strings.HasPrefix(directory, "-") || hasGitFolder(directory) {
		return "", "", pluginsdk.Invalid("/directory", fmt.Sprintf("the folder %q can't hold a clone", directory))
	}
	return clean, directory, nil
}

func hasGitFolder(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(segment, ".git") {
			return true
		}
	}
	return false
}

// Execute clones beside the folder and renames, so that the folder is there
// wholly or not at all.
func (cloner) Execute(ctx context.Context, step *pluginsdk.Step, config cloneConfig) (cloneOutput, error) {
	clean, directory, err := config.target()
	if err != nil {
		return cloneOutput{}, err
	}
	isThere, err := hasClone(ctx, step, clean, directory)
	if err != nil {
		return cloneOutput{}, err
	}
	if isThere {
		step.Log.Info(fmt.Sprintf("the folder %s is a clone of %s already", directory, redactAddresses(clean)))
		return describeClone(ctx, step, clean, directory)
	}
	if err := clone(ctx, step, config, clean, directory); err != nil {
		return cloneOutput{}, err
	}
	return describeClone(ctx, step, clean, directory)
}

// hasClone reports whether the folder is a clone of the address. A folder
// with anything else in it is an error.
func hasClone(ctx context.Context, step *pluginsdk.Step, clean, directory string) (bool, error) {
	if err := step.Workspace.CheckLinks(directory); err != nil {
		return false, pluginsdk.Invalid("/directory", err.Error())
	}
	root, err := step.Workspace.Root()
	if err != nil {
		return false, err
	}
	folder, err := root.Open(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, pluginsdk.Invalid("/directory", fmt.Sprintf("the folder %q can't be used: %v", directory, err))
	}
	entries, err := folder.Readdirnames(1)
	if closeErr := folder.Close(); closeErr != nil {
		return false, closeErr
	}
	if len(entries) == 0 {
		// An empty folder is in nobody's way; a plain file fails to be read.
		return false, ignoreEOF(err, directory)
	}
	repo, err := openRepository(ctx, step, directory)
	if err == nil {
		origin, configErr := repo.configValue(ctx, "remote.origin.url")
		if configErr != nil {
			return false, configErr
		}
		if origin == clean {
			return true, nil
		}
	}
	return false, pluginsdk.Errorf("the folder %s is not empty and is no clone of %s", directory, redactAddresses(clean))
}

func clone(ctx context.Context, step *pluginsdk.Step, config cloneConfig, clean, directory string) (err error) {
	repo, err := bareProcess(step)
	if err != nil {
		return err
	}
	repo.isCloned = true
	repo.settings = append(repo.settings, setting{"core.hooksPath", os.DevNull})
	auth := config.Auth
	if auth.Token == "" {
		_, auth = splitCredentials(config.URL)
	}
	if err := repo.signIn(auth, clean); err != nil {
		return err
	}
	root, err := step.Workspace.Root()
	if err != nil {
		return err
	}
	parent := path.Dir(directory)
	if err := root.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("make folder %s: %w", parent, err)
	}
	// The same name in every attempt: what a killed one left is found again.
	sum := sha256.Sum256([]byte(step.IdempotencyKey() + "\x00" + directory))
	temporary := path.Join(parent, ".vwmp-clone-"+hex.EncodeToString(sum[:6]))
	if err := root.RemoveAll(temporary); err != nil {
		return fmt.Errorf("remove what an earlier attempt left: %w", err)
	}
	defer func() { err = errors.Join(err, root.RemoveAll(temporary)) }()
	if _, err := repo.run(ctx, command{args: config.arguments(repo, clean, temporary), live: true}); err != nil {
		return err
	}
	if err := root.Remove(directory); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace the empty folder %s: %w", directory, err)
	}
	if err := root.Rename(temporary, directory); err != nil {
		return fmt.Errorf("move the clone to %s: %w", directory, err)
	}
	return nil
}

func (c cloneConfig) arguments(repo *repository, clean, temporary string) []string {
	args := []string{"clone", "--no-recurse-submodules", "--template=", "--config", clonedMark + "=true"}
	if c.Branch != "" {
		args = append(args, "--branch="+c.Branch)
	}
	if c.Depth > 0 {
		args = append(args, "--depth="+strconv.Itoa(c.Depth))
	}
	return append(args, "--end-of-options", clean, filepath.Join(repo.dir, filepath.FromSlash(temporary)))
}

func describeClone(ctx context.Context, step *pluginsdk.Step, clean, directory string) (cloneOutput, error) {
	output := cloneOutput{Directory: directory, URL: redactAddresses(clean)}
	repo, err := openRepository(ctx, step, directory)
	if err != nil {
		return output, err
	}
	if output.Branch, err = repo.branch(ctx); err != nil {
		return output, err
	}
	output.CommitHash, err = repo.revision(ctx, "HEAD^{commit}")
	return output, err
}

// Plan says what would be cloned to where.
func (cloner) Plan(ctx context.Context, step *pluginsdk.Step, config cloneConfig) ([]pluginsdk.PlannedEffect, error) {
	clean, directory, err := config.target()
	if err != nil {
		return nil, err
	}
	isThere, err := hasClone(ctx, step, clean, directory)
	if err != nil || isThere {
		return nil, err
	}
	return []pluginsdk.PlannedEffect{{
		Action: "create", Target: directory, Summary: "clone " + redactAddresses(clean) + " into " + directory, Known: true,
	}}, nil
}
