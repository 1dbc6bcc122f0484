// Command vwmp-plugin-leaky says what it is told in every way a plugin can, so
// that tests can look for it where it must not be.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

type config struct {
	Text string `json:"text" title:"Text" description:"What to tell" max_length:"30"`
	// Mode is tell, fail or resume.
	Mode string `json:"mode" default:"tell" enum:"tell,fail,resume"`
	// Proof is the file that gets the SHA-256 of the text.
	Proof string `json:"proof" default:"proof"`
}

type output struct {
	Text   string            `json:"text"`
	Deep   map[string]any    `json:"deep"`
	Sent   map[string]string `json:"sent"`
	Resume bool              `json:"resumed"`
}

// forms are the ways to write a text.
func forms(text string) []string {
	return []string{
		text, "a" + text + "b", fmt.Sprintf("%q", text), url.QueryEscape(text), url.PathEscape(text),
		base64.StdEncoding.EncodeToString([]byte(text)), base64.URLEncoding.EncodeToString([]byte(text)),
		base64.RawStdEncoding.EncodeToString([]byte("x" + text + "yz")), base64.StdEncoding.EncodeToString([]byte("xy" + text)),
	}
}

func tell(_ context.Context, step *pluginsdk.Step, c config) (output, error) {
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(c.Text)))
	if err := step.Workspace.WriteFile(c.Proof, []byte(sum), 0o600); err != nil {
		return output{}, err
	}
	out := output{Text: c.Text, Deep: map[string]any{"key " + c.Text: forms(c.Text)}, Sent: step.Request().Secrets}
	var kept string
	found, err := step.Checkpointed(&kept)
	if err != nil {
		return output{}, err
	}
	out.Resume = found && kept == c.Text
	for _, form := range forms(c.Text) {
		step.Log.Info("told "+form, "field", form)
		step.Progress(50, "telling "+form)
		fmt.Fprintln(os.Stderr, "stderr", form)
		fmt.Println("stdout", form)
		if err := step.Effect(pluginsdk.EffectRecord{Action: "tell", Target: form, ExternalID: form}); err != nil {
			return output{}, err
		}
		if err := step.Artifact(pluginsdk.Artifact{Path: "artifacts/" + form, MediaType: "text/plain"}); err != nil {
			return output{}, err
		}
	}
	if err := errors.Join(step.Checkpoint(c.Text), step.SetUndo(map[string]string{"token": c.Text})); err != nil {
		return output{}, err
	}
	switch {
	case c.Mode == "fail":
		return output{}, pluginsdk.Errorf("the server refused %q (%s)", c.Text, url.QueryEscape(c.Text)).WithCode("REFUSED")
	case c.Mode == "resume" && step.Attempt() == 1:
		return output{}, pluginsdk.Retryable(fmt.Errorf("busy with %s", c.Text))
	}
	return out, nil
}

func main() {
	serve.Main(&pluginsdk.Plugin{
		Name: "leaky", Version: "1.0.0", Description: "Tells what it is told",
		Handlers: []*pluginsdk.Handler{pluginsdk.NewHandler(pluginsdk.HandlerInfo{
			Path: "leaky.tell", Name: "Tell", Description: "Tells what it is told", Category: "tests", Effect: pluginsdk.EffectIdempotent,
		}, pluginsdk.Func[config, output](tell))},
	})
}
