// Command vwmp-plugin-file serves handlers that read and change files of the
// workspace, and pack and unpack archives.
//
// No path leaves the workspace or enters a .git folder. Files are replaced in
// one piece; what is replaced or deleted is kept for a while, so that a step
// can be taken back.
package main

import (
	"encoding/json"

	"github.com/vwmp/vwmp/pluginsdk"
)

func filePlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "file",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Reads, writes, moves, packs and unpacks files of the workspace.",
		Handlers: []*pluginsdk.Handler{
			pluginsdk.NewHandler(info("file.read", "Read a file", "file-text", pluginsdk.EffectPure,
				"Reads a file as text, JSON or base64.",
				map[string]any{"path": "VERSION"}), reader{}),
			pluginsdk.NewHandler(info("file.write", "Write a file", "file-pen", pluginsdk.EffectIdempotent,
				"Writes a file in one piece; folders are made as needed. Its undo brings back what was there.",
				map[string]any{"path": "out/report.md", "content": "# Report\n"}), writer{}),
			pluginsdk.NewHandler(info("file.append", "Append to a file", "file-plus", pluginsdk.EffectIdempotent,
				"Adds text to the end of a file, once however often the step is tried. Its undo brings back what was there.",
				map[string]any{"path": "out/log.txt", "content": "done"}), appender{}),
			pluginsdk.NewHandler(info("file.copy", "Copy files", "copy", pluginsdk.EffectIdempotent,
				"Copies a file, or a folder with all that is in it. Its undo takes the copy away and brings back what it replaced.",
				map[string]any{"from": "dist", "to": "public"}), copier{}),
			pluginsdk.NewHandler(info("file.move", "Move files", "file-symlink", pluginsdk.EffectIdempotent,
				"Moves a file or a folder. Its undo moves it back.",
				map[string]any{"from": "draft.md", "to": "docs/final.md"}), mover{}),
			pluginsdk.NewHandler(info("file.delete", "Delete files", "file-x", pluginsdk.EffectIdempotent,
				"Deletes files, and folders where that is wanted. Its undo brings them back.",
				map[string]any{"paths": []string{"tmp/*.log"}}), deleter{}),
			pluginsdk.NewHandler(info("file.glob", "Find files", "file-search", pluginsdk.EffectPure,
				"Lists the files that match patterns.",
				map[string]any{"patterns": []string{"docs/**/*.md"}, "exclude": []string{"docs/old/**"}}), finder{}),
			pluginsdk.NewHandler(info("file.template", "Fill a template", "file-code", pluginsdk.EffectIdempotent,
				"Fills a Go template with values and writes the result to a file, or only returns it. Its undo brings back what was there.",
				map[string]any{"template": "Hello {{.name | upper}}\n", "values": map[string]any{"name": "Ada"}, "path": "out/hello.txt"}), filler{}),
			pluginsdk.NewHandler(info("file.checksum", "Checksum", "fingerprint", pluginsdk.EffectPure,
				"Computes the checksums of files, and compares one with what it should be.",
				map[string]any{"paths": []string{"dist/*.tar.gz"}, "algorithm": "sha256"}), summer{}),
			pluginsdk.NewHandler(info("file.archive", "Pack an archive", "file-archive", pluginsdk.EffectIdempotent,
				"Packs files into a zip, tar or tar.gz. The same files give the same archive. Its undo takes it away.",
				map[string]any{"paths": []string{"dist/**"}, "to": "release.tar.gz"}), packer{}),
			pluginsdk.NewHandler(info("file.extract", "Unpack an archive", "folder-output", pluginsdk.EffectIdempotent,
				"Unpacks a zip, tar or tar.gz into a folder. The whole archive is checked before anything is written: names that lead out, links, devices, names that come twice, and more than the limits allow are refused. Its undo takes away what was unpacked.",
				map[string]any{"path": "release.tar.gz", "to": "unpacked"}), unpacker{}),
		},
	}
}

func info(path, name, icon string, effect pluginsdk.EffectClass, description string, config map[string]any) pluginsdk.HandlerInfo {
	raw, err := json.Marshal(config)
	if err != nil {
		// The examples are constants of this package.
		panic(err)
	}
	return pluginsdk.HandlerInfo{
		Path: path, Name: name, Icon: icon, Effect: effect, Description: description, Category: "Files", Example: raw,
	}
}
