// Command handlerdocs writes the reference pages of the bundled plugins, from
// what their binaries say of themselves, into a folder.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/reference"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: handlerdocs PLUGINS FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(plugins, folder string) error {
	binaries, err := filepath.Glob(filepath.Join(plugins, "vwmp-plugin-*"))
	if err != nil {
		return err
	}
	if len(binaries) == 0 {
		return fmt.Errorf("there is no plugin in %s", plugins)
	}
	index := "# The bundled handlers\n\nEach page is made from the plugin's own description.\n\n| plugin | does | handlers |\n| --- | --- | --- |\n"
	for _, binary := range binaries {
		printed, err := exec.Command(binary, "--describe").Output() //nolint:noctx,gosec // It ends by itself, and is a plugin of this build.
		if err != nil {
			return fmt.Errorf("describe %s: %w", binary, err)
		}
		var description pluginsdk.Description
		if err := json.Unmarshal(printed, &description); err != nil {
			return fmt.Errorf("read the description of %s: %w", binary, err)
		}
		page, err := reference.Page(&description)
		if err != nil {
			return fmt.Errorf("the page of %s: %w", binary, err)
		}
		if err := os.WriteFile(filepath.Join(folder, description.Name+".md"), []byte(page), 0o644); err != nil { //nolint:gosec // Documentation is for everybody.
			return err
		}
		index += reference.Row(&description)
	}
	return os.WriteFile(filepath.Join(folder, "README.md"), []byte(index), 0o644) //nolint:gosec // As above.
}
