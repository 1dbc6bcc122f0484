package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/pluginsdk/scaffold"
)

func pluginNew() *cobra.Command {
	var language, dir, sdk string
	command := &cobra.Command{
		Use: "new NAME", Short: "Begin a plugin's project", Args: cobra.ExactArgs(1),
		Long: `Writes a plugin's project with three handlers to change: it builds, passes its tests and "vwmp plugin test" as it is.
The SDKs for Python and TypeScript come with it as source. A project in Go requires the SDK's module, or
replaces it by the checkout that --sdk or VWMP_SOURCE names.`,
		Example: "  vwmp plugin new hello --lang go\n  vwmp plugin new hello --lang python --dir plugins/hello",
	}
	command.Flags().StringVar(&language, "lang", "go", "language: "+strings.Join(scaffold.Languages(), ", "))
	command.Flags().StringVar(&dir, "dir", "", "folder to make (default NAME)")
	command.Flags().StringVar(&sdk, "sdk", os.Getenv("VWMP_SOURCE"), "checkout of VWMP to build against, for Go")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		project := scaffold.Project{Name: args[0], Language: language, Dir: dir, SDKVersion: "latest"}
		if project.Dir == "" {
			project.Dir = args[0]
		}
		if strings.HasPrefix(version, "v") {
			project.SDKVersion = version
		}
		if sdk != "" {
			absolute, err := filepath.Abs(sdk)
			if err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(absolute, "pluginsdk")); err != nil {
				return usageError("--sdk %s is no checkout of VWMP: %w", sdk, err)
			}
			project.SDK = absolute
		}
		var hint string
		project.Program, hint = interpreter(cmd.Context(), language)
		next, err := scaffold.Write(project)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "%s is ready. Next:\n  %s\n", project.Dir, strings.Join(next, "\n  "))
		if hint != "" {
			fmt.Fprintln(out, hint)
		}
		return nil
	}
	return command
}

// interpreter finds what runs a plugin of a language, and says what it lacks.
func interpreter(ctx context.Context, language string) (program, hint string) {
	switch language {
	case "python":
		candidates := []string{"/usr/bin/python3"}
		if found, err := exec.LookPath("python3"); err == nil {
			candidates = append([]string{found}, candidates...)
		}
		for _, program := range candidates {
			// A link of a version manager depends on the environment; the host
			// wants the program itself.
			out, err := exec.CommandContext(ctx, program, "-c", "import sys, grpc, google.protobuf; print(sys.executable)").Output()
			if real := strings.TrimSpace(string(out)); err == nil && real != "" {
				return real, ""
			}
		}
		return candidates[len(candidates)-1], "Python lacks gRPC: apt-get install python3-grpcio python3-protobuf, or pip install -r requirements.txt,\nand name that Python in plugin.yaml."
	case "typescript":
		name := "node"
		if runtime.GOOS == "windows" {
			name = "node.exe"
		}
		found, err := exec.LookPath(name)
		if err != nil {
			return "/usr/bin/node", "There is no node on the PATH: install Node.js 20 or newer, and name it in plugin.yaml."
		}
		if real, err := filepath.EvalSymlinks(found); err == nil {
			found = real
		}
		return found, ""
	}
	return "", ""
}
